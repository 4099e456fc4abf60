"""Whether a code or a passkey is the person's. Tries are counted for all processes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import challenges, recovery, totp
from monkey_coder_server.features.accounts.notices import note_and_tell
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import REFUSED, User
from monkey_coder_server.ports.factors import Passkey
from monkey_coder_server.web.request import Request

LONGEST_CODE = 64
WRONG = "The code or passkey is not right, or was used before; try the next code."


@dataclass(frozen=True, slots=True)
class Ceremony:
    """For what a passkey's challenge was given, to whom, and whether it must have verified its person."""

    purpose: str
    subject: str
    verified: bool


async def take_try(use: Dependencies, user: User) -> None:
    """Count a try at what can be guessed before it is compared; passkeys cannot be. Raises `RateLimited`."""
    await throttles.count(use, {throttles.second_factor_of(user.user_id): throttles.A_FACTOR})


async def succeed(use: Dependencies, user: User) -> None:
    """Begin to count tries anew."""
    await use.tries.forget(throttles.second_factor_of(user.user_id))


async def by_code(use: Dependencies, request: Request, user: User, code: str) -> bool:
    """Whether a one-time code or recovery code is the person's; it is used up."""
    plain = "".join(code.split()) if len(code) <= LONGEST_CODE else ""
    if plain.isdigit():
        return await totp.take(use, user, plain)
    if not await recovery.take(use, user, plain):
        return False
    left = await use.factors.store.recovery_codes(user.user_id)
    told = {"details": f"{left} left", "about": str(left)}
    await note_and_tell(use, request, user, "factor.recovery_code.use", **told)
    return True


async def by_passkey(
    use: Dependencies, request: Request, credential: Mapping[str, Any], ceremony: Ceremony
) -> Passkey | None:
    """The passkey whose genuine answer this is, to a challenge that was waited for here; its use is noted."""
    factors, tools = use.factors.store, use.factors
    challenge = await challenges.redeem(use, credential, ceremony.purpose, ceremony.subject)
    passkey = await factors.passkey(_credential_id(credential))
    if challenge is None or passkey is None:
        return None
    said = tools.ceremonies.authenticated(
        credential, challenge, public_key=passkey.public_key, verified=ceremony.verified
    )
    handle = challenges.text_of(credential, "userHandle")
    if said is None or (handle and _unpacked(handle) != passkey.user_id.encode()):
        return None
    if not await factors.use_passkey(passkey.credential_id, said.sign_count, use.clock.now()):
        await _warn_of_copy(use, request, passkey, said.sign_count)
        return None
    return passkey


def checked(code: str | None, passkey: Mapping[str, Any] | None) -> None:
    """Raises `InvalidRequest` unless there is exactly one of them."""
    if (code is None) == (passkey is None):
        raise InvalidRequest("Send either the field `code` or the field `passkey`.")


async def _warn_of_copy(use: Dependencies, request: Request, passkey: Passkey, sign_count: int) -> None:
    """WebAuthn Level 3, section 6.1.1: a counter that fell behind tells of a cloned authenticator."""
    owner = await use.accounts.by_id(passkey.user_id)
    if owner is not None:
        details = f"counter {sign_count} after {passkey.sign_count}: there may be a copy of this passkey"
        await note(
            use,
            request,
            owner,
            "factor.passkey.use",
            target=passkey.passkey_id,
            details=details,
            outcome=REFUSED,
        )


def _credential_id(credential: Mapping[str, Any]) -> bytes:
    value = credential.get("id")
    return _unpacked(value) if isinstance(value, str) else b""


def _unpacked(text: str) -> bytes:
    try:
        return challenges.unpacked(text)
    except ValueError:
        return b""
