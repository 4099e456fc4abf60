"""A log-in in two steps: who gave the right password gets a token, and with it and a second factor is in."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from monkey_coder_protocol import factors as wire
from monkey_coder_server.domain.errors import InvalidCredentials
from monkey_coder_server.features.accounts.answering import Caller
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import challenges, proof
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import encode_json

LIFETIME = timedelta(minutes=5)
PURPOSE = "second step"
_caller = msgspec.json.Decoder(Caller)
_OVER = "This log-in was finished or has expired; begin again with your e-mail address and password."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A log-in whose second step is waited for; `caller` is what its first one said."""

    digest: bytes
    user: User
    caller: Caller

    @property
    def ceremony(self) -> proof.Ceremony:
        """What a passkey answers in it."""
        return proof.Ceremony(challenges.SECOND_STEP, self.digest.hex(), verified=False)


async def begin(use: Dependencies, user: User, caller: Caller) -> wire.MfaRequired:
    """What the first step of a log-in answers to who has a second factor."""
    factors, token = use.factors.store, use.random_text()
    ticket = Ticket(digest_of(token), PURPOSE, user.user_id, use.clock.now() + LIFETIME, encode_json(caller).decode())
    await use.tickets.issue(ticket)
    has = {
        "totp": await factors.totp(user.user_id) is not None,
        "passkey": bool(await factors.passkeys(user.user_id)),
        "recovery_code": bool(await factors.recovery_codes(user.user_id)),
    }
    return wire.MfaRequired(
        mfa_required=True,
        mfa_token=token,
        methods=[method for method, there in has.items() if there],
        expires_in=int(LIFETIME.total_seconds()),
    )


async def waiting(use: Dependencies, mfa_token: str) -> Waiting:
    """The log-in a token is of. Raises `InvalidCredentials`."""
    digest = digest_of(mfa_token)
    ticket = await use.tickets.find(digest, PURPOSE, use.clock.now())
    user = None if ticket is None else await use.accounts.by_id(ticket.subject)
    if ticket is None or user is None:
        raise InvalidCredentials(_OVER)
    return Waiting(digest, user, _caller.decode(ticket.details))


async def finish(use: Dependencies, request: Request, wish: wire.MfaVerifyRequest) -> Waiting:
    """A log-in whose second factor was right. Raises `InvalidCredentials`, `InvalidRequest`, `RateLimited`."""
    proof.checked(wish.code, wish.passkey)
    login = await waiting(use, wish.mfa_token)
    request.concerns = login.user.account_id
    if wish.code is not None:
        await proof.take_try(use, login.user)
    if not await _proved(use, request, login, wish):
        raise InvalidCredentials(proof.WRONG)
    if await use.tickets.redeem(login.digest, PURPOSE, use.clock.now()) is None:
        raise InvalidCredentials(_OVER)
    await proof.succeed(use, login.user)
    return login


async def _proved(use: Dependencies, request: Request, login: Waiting, wish: wire.MfaVerifyRequest) -> bool:
    if wish.code is not None:
        return await proof.by_code(use, request, login.user, wish.code)
    passkey = await proof.by_passkey(use, request, wish.passkey or {}, login.ceremony)
    return passkey is not None and passkey.user_id == login.user.user_id
