"""What a person who logged in is given: tokens, and for a command line a long-lived key."""

from dataclasses import dataclass

import msgspec

from monkey_coder_protocol import auth as wire
from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import MfaEnrolmentRequired
from monkey_coder_server.features.accounts import keys, sessions
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.features.accounts.user_shown import user_info
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.request import Request

PUBLISHED_CLI = "monkey-coder-cli/"
"""The User-Agent of the service's published TypeScript CLI: it stores `access_token` as its API key for good."""
_ENROL_FIRST = (
    "This gateway gives keys only to people with a second factor: add one with `monkey auth mfa enroll`, then log in."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """What a log-in says of the program that asks for it, and of the computer that runs there."""

    client: str | None = None
    host: str | None = None


UNNAMED = Caller()


async def enter(
    use: Dependencies, request: Request, user: User, caller: Caller, *, second_factor: bool = False
) -> wire.TokenResponse:
    """Log a person in who proved with all their factors that it is them. Raises `MfaEnrolmentRequired`."""
    refuse_key_without_factor(use, request, caller, second_factor=second_factor)
    await use.ledger.open_wallet(user.account_id)
    tokens = await sessions.open_session(use, user, request, second_factor=second_factor)
    await note(use, request, user, "session.open", details="second factor" if second_factor else "")
    return await logged_in(use, request, user, tokens, caller)


def refuse_key_without_factor(
    use: Dependencies, request: Request, caller: Caller = UNNAMED, *, second_factor: bool
) -> None:
    """Raises `MfaEnrolmentRequired` where a key is asked for that goes to people with a second factor only."""
    if _wants_key(request, caller):
        refuse_without_factor(use, second_factor=second_factor)


def refuse_without_factor(use: Dependencies, *, second_factor: bool) -> None:
    """Raises `MfaEnrolmentRequired` where nobody goes on with a password alone."""
    if not second_factor and use.factors.rules.mode is SecondFactors.REQUIRED:
        raise MfaEnrolmentRequired(_ENROL_FIRST)


def _wants_key(request: Request, caller: Caller) -> bool:
    """Whether a log-in comes from a command line."""
    return caller.client == "cli" or _published(request)


async def logged_in(
    use: Dependencies, request: Request, user: User, tokens: sessions.Tokens, caller: Caller = UNNAMED
) -> wire.TokenResponse:
    """The tokens of a session for the wire, with a new key for a command line."""
    published = _published(request)
    key = None
    if _wants_key(request, caller):
        key = (await keys.make_cli_key(use, request, user, caller.host)).secret
    return wire.TokenResponse(
        access_token=key if published and key else tokens.access,
        refresh_token=tokens.refresh,
        expires_at=msgspec.UNSET if published else tokens.expires_at.isoformat(),
        user=await user_info(use, user),
        api_key=msgspec.UNSET if key is None else key,
    )


def _published(request: Request) -> bool:
    return (request.header("user-agent") or "").startswith(PUBLISHED_CLI)
