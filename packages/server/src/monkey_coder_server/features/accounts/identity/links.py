"""Tokens that travel by mail: 256 random bits, good once, for one purpose and a short time."""

from datetime import timedelta

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.tickets import Ticket, digest_of

VERIFY = "verify e-mail"
CHANGE = "change e-mail"
RESET = "reset password"
LIFETIMES = {VERIFY: timedelta(minutes=60), CHANGE: timedelta(minutes=60), RESET: timedelta(minutes=30)}
_UNUSABLE = "This link was used already, is too old, or was replaced by a newer one; ask for another mail."


async def issue(use: Dependencies, purpose: str, subject: str, details: str = "") -> str:
    """A new token; earlier ones of its purpose and subject are good no more."""
    token = use.random_text()
    await use.tickets.withdraw(purpose, subject)
    expires_at = use.clock.now() + LIFETIMES[purpose]
    await use.tickets.issue(Ticket(digest(token), purpose, subject, expires_at, details))
    return token


async def find(use: Dependencies, token: str, *purposes: str) -> Ticket:
    """The ticket of a token, for one of some purposes, not used up yet. Raises `InvalidRequest`."""
    for purpose in purposes:
        ticket = await use.tickets.find(digest(token), purpose, use.clock.now())
        if ticket is not None:
            return ticket
    raise unusable()


async def redeem(use: Dependencies, ticket: Ticket) -> None:
    """Use a ticket up. Raises `InvalidRequest` when another was quicker."""
    if await use.tickets.redeem(ticket.digest, ticket.purpose, use.clock.now()) is None:
        raise unusable()


def unusable() -> InvalidRequest:
    """What is said of every token that is good for nothing."""
    return InvalidRequest(_UNUSABLE)


def digest(token: str) -> bytes:
    """What a token is stored as."""
    return digest_of(token)
