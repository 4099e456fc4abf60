"""Single-use tokens that people get by mail, on a screen or in a redirection, each for one purpose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol


def digest_of(token: str) -> bytes:
    """What is stored of a token of at least 128 random bits: its SHA-256."""
    return sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """`digest` is the SHA-256 of a token of at least 128 random bits; the token itself is stored nowhere.

    `purpose` is what it is good for, and nothing else; `subject` is whom it is for (a user's id, or what stands for
    one before there is a user); `details` is text of the purpose's own, by custom JSON.
    """

    digest: bytes
    purpose: str
    subject: str
    expires_at: datetime
    details: str = ""


class Tickets(Protocol):
    """All tickets that are neither used nor long expired."""

    async def issue(self, ticket: Ticket) -> None:
        """Store a ticket; durable on return. Raises `Conflict` when there is one of the same digest."""

    async def issue_one_of(self, ticket: Ticket, most: int, at: datetime) -> bool:
        """Store a ticket unless its subject can use `most` of that purpose then, however many are issued at once."""

    async def find(self, digest: bytes, purpose: str, at: datetime) -> Ticket | None:
        """A ticket of that purpose that can still be used at that time."""

    async def of_subject(self, purpose: str, subject: str, at: datetime) -> Sequence[Ticket]:
        """The tickets of a purpose that a subject can still use at that time, those that expire first first."""

    async def redeem(self, digest: bytes, purpose: str, at: datetime) -> Ticket | None:
        """Use a ticket up: of many who come with it at once, one gets it. None if it is used, expired or another's."""

    async def amend(self, digest: bytes, purpose: str, *, old: str, new: str) -> bool:
        """Replace the details `old` by `new`; False when they are not `old` any more or the ticket is used."""

    async def withdraw(self, purpose: str, subject: str) -> None:
        """Make every ticket of a purpose useless that its subject still has."""
