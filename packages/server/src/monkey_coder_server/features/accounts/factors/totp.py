"""One-time codes of an app: enrolled with a code, taken once each."""

import base64
from datetime import timedelta
from hashlib import sha256

from monkey_coder_protocol import factors as wire
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.factors import Totp
from monkey_coder_server.ports.tickets import Ticket

WAITING = timedelta(minutes=10)
"""How long an enrolment waits for its first code."""
PURPOSE = "totp enrolment"
_NOTHING_WAITS = "No enrolment waits for a code; begin with POST /v1/auth/mfa/totp/enroll."


async def begin(use: Dependencies, user: User, session_id: str) -> wire.TotpEnrolment:
    """A secret for an app, to be confirmed by the same session; an earlier one that still waits is forgotten."""
    secret = use.factors.codes.new_secret()
    sealed = use.factors.sealing.seal(secret.encode(), _purpose(user.user_id))
    await use.tickets.withdraw(PURPOSE, session_id)
    await use.tickets.issue(
        Ticket(
            _digest(session_id),
            PURPOSE,
            session_id,
            use.clock.now() + WAITING,
            base64.b64encode(sealed).decode(),
        )
    )
    return wire.TotpEnrolment(secret=secret, otpauth_uri=use.factors.codes.address(secret, account=user.email))


async def finish(use: Dependencies, user: User, session_id: str, code: str) -> bool:
    """Whether the code is of the app that has the waiting secret; then that is the person's. Raises `Conflict`.

    That code is used up with it.
    """
    now, digest = use.clock.now(), _digest(session_id)
    ticket = await use.tickets.find(digest, PURPOSE, now)
    if ticket is None:
        raise Conflict(_NOTHING_WAITS)
    sealed = base64.b64decode(ticket.details)
    secret = use.factors.sealing.open(sealed, _purpose(user.user_id))
    step = None if secret is None else use.factors.codes.step(secret.decode(), "".join(code.split()), now)
    if step is None:
        return False
    if await use.tickets.redeem(digest, PURPOSE, now) is None:
        raise Conflict(_NOTHING_WAITS)
    await use.factors.store.put_totp(Totp(user.user_id, sealed, step, now))
    return True


async def take(use: Dependencies, user: User, code: str) -> bool:
    """Whether a code is right and newer than every one that was taken; it is used up.

    The secret is sealed anew with it, so that a former pepper is in use no longer than its people stay away.
    """
    kept = await use.factors.store.totp(user.user_id)
    secret = None if kept is None else use.factors.sealing.open(kept.secret, _purpose(user.user_id))
    if secret is None:
        return False
    step = use.factors.codes.step(secret.decode(), code, use.clock.now())
    if step is None:
        return False
    sealed = use.factors.sealing.seal(secret, _purpose(user.user_id))
    return await use.factors.store.use_step(user.user_id, step, sealed)


def _purpose(user_id: str) -> bytes:
    return b"totp\0" + user_id.encode()


def _digest(session_id: str) -> bytes:
    """By what the waiting secret is found: it is asked for in an authenticated session only, so it needs no chance."""
    return sha256(f"{PURPOSE}\0{session_id}".encode()).digest()
