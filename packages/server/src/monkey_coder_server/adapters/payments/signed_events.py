"""Webhooks of Stripe: whether one is theirs and of this moment, and which object it is about."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from monkey_coder_server.adapters.payments.client import Sdk
from monkey_coder_server.adapters.payments.subjects import subject_of
from monkey_coder_server.adapters.payments.writing import moment
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payments import EventSeen

TOLERANCE = timedelta(seconds=300)
"""How old a webhook may be. Stripe signs each delivery anew, also one that is repeated after days."""
AHEAD = timedelta(seconds=60)
"""How far its clock may be ahead of ours: the SDK has no such bound, so that one signed for later could be kept."""
_NEVER = 10**13


class _Data(msgspec.Struct):
    of: dict[str, object] = msgspec.field(name="object")
    previous_attributes: dict[str, object] | None = None


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int | str
    livemode: bool
    data: _Data | None = None


class SignedEvents:
    """`ports.payment_inbox.Notices`. Any of the secrets will do: one may be on its way out, another on its way in."""

    def __init__(self, sdk: Sdk, secrets: Sequence[str], clock: Clock) -> None:
        self._sdk = sdk
        self._secrets = tuple(secrets)
        self._clock = clock

    async def read(self, body: bytes, signature: str) -> EventSeen:
        """What happened. Raises `InvalidRequest` for what is not theirs, not of this moment, or no event."""
        await self._sdk.loaded()
        self._check(body, signature)
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError) as unreadable:
            raise InvalidRequest("The body is signed well and is no event.") from unreadable
        data = event.data or _Data({})
        kind, object_id = subject_of(event.type, data.of, data.previous_attributes or {})
        at = moment(event.created) if isinstance(event.created, int) else self._clock.now()
        return EventSeen(event.id, event.type, at, event.livemode, kind, object_id)

    def _check(self, body: bytes, signature: str) -> None:
        from stripe import SignatureVerificationError, WebhookSignature  # noqa: PLC0415 - heavy, and loaded by now

        refusal = "The signature is not Stripe's, or not of this moment."
        ahead = self._clock.now() + AHEAD
        if _signed_at(signature) > int(ahead.timestamp()):
            raise InvalidRequest(refusal)
        for secret in self._secrets:
            try:
                WebhookSignature.verify_header(body, signature, secret, int(TOLERANCE.total_seconds()))
            except (SignatureVerificationError, UnicodeDecodeError, TypeError):
                continue
            return
        raise InvalidRequest(refusal)


def _signed_at(signature: str) -> int:
    """The moment the header says, in seconds, read as the SDK does; one beyond all time where it says none."""
    for part in signature.split(","):
        name, _, value = part.partition("=")
        if name == "t":
            return int(value) if value.isascii() and value.isdigit() and len(value) <= 12 else _NEVER
    return _NEVER
