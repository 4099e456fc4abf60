"""A leaked key is revoked for whoever reports it: to have it is proof enough that it must end.

Takes one key, or what GitHub's secret scanning sends to partners: a list of objects with `token`, `type`, `url` and
`source` (docs.github.com, "Secret scanning partner program"). Its signature is not asked for: nothing is done for it
that is not done for everybody.
"""

from collections.abc import Sequence

from monkey_coder_protocol.auth import LeakedKey
from monkey_coder_server.domain.errors import InvalidApiKey, InvalidRequest
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.key_care.rotating import end_former
from monkey_coder_server.features.accounts.letters import Letter
from monkey_coder_server.ports.accounts import AuditEntry, KeyRecord
from monkey_coder_server.web.request import Request, agent_of

REPORTER = "reporter"
MOST_REPORTED = 100
_LONGEST_PLACE = 300


async def revoke_leaked(use: Dependencies, request: Request, reported: Sequence[LeakedKey]) -> None:
    """Revoke those that are keys in use here and tell their owners. Raises `InvalidRequest`."""
    if not 1 <= len(reported) <= MOST_REPORTED:
        message = f"Report 1 to {MOST_REPORTED} keys at a time."
        raise InvalidRequest(message)
    for each in reported:
        key = await _key_of(use, each.key or each.token)
        if key is not None and key.revoked_at is None and not key.replaced(use.clock.now()):
            await _revoke(use, request, key, _printable(each.url))


async def _key_of(use: Dependencies, text: str) -> KeyRecord | None:
    try:
        return await use.authenticator.key_of(text)
    except InvalidApiKey:
        return None


async def _revoke(use: Dependencies, request: Request, key: KeyRecord, place: str) -> None:
    now = use.clock.now()
    if key.by_former:
        await end_former(use, key, now)
    else:
        await use.keys.revoke(key.account_id, key.key_id, now)
    await use.audit.record(
        AuditEntry(
            REPORTER,
            "key.report",
            target=key.key_id,
            at=now,
            account_id=key.account_id,
            details=f"{key.name!r} was reported as leaked{place and ' at '}{place} and revoked",
            address=request.client_ip,
            agent=agent_of(request),
        )
    )
    user = await use.accounts.by_id(key.user_id)
    if user is not None and user.email:
        use.letters.send(user.email, _letter(key, place))


def _letter(key: KeyRecord, place: str) -> Letter:
    found = f"It was found at: {place}" if place else "Who reported it did not say where it was found."
    return Letter(
        subject="An API key of yours leaked and was revoked",
        paragraphs=(
            f"Your API key {key.prefix} was reported by somebody who had it, so it was revoked at once.",
            found,
            "Make a new key, and look through your usage and your audit trail for what you did not do.",
        ),
    )


def _printable(text: str) -> str:
    return "".join(letter for letter in text[:_LONGEST_PLACE] if letter.isprintable())
