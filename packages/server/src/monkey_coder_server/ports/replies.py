"""Replies of requests that make something, kept for repeats under the same idempotency key."""

from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.ledger import IdempotencyKey


class Replies(Protocol):
    """By account; kept for 48 hours. Every method raises `Unavailable` when the database is away."""

    async def claim(self, account_id: str, key: IdempotencyKey, at: datetime) -> bytes | None:
        """Take the key, durable on return; or the reply that is kept under it.

        Raises `IdempotencyConflict` for another request, `RequestInProgress` while the first is being answered: for a
        minute at most, after that its process is taken for dead.
        """

    async def find(self, account_id: str, key: IdempotencyKey, at: datetime) -> bytes | None:
        """The reply that is kept under the key, which is not taken. Raises as `claim`, but for a dead process."""

    async def keep(self, account_id: str, key: str, reply: bytes) -> None:
        """Keep the reply; durable on return."""

    async def release(self, account_id: str, key: str) -> None:
        """Give the key back: nothing was made."""


class Sealing(Protocol):
    """Makes bytes unreadable for whoever has the database alone."""

    def seal(self, plain: bytes, purpose: bytes) -> bytes:
        """Encrypt; only the same purpose opens it."""

    def open(self, sealed: bytes, purpose: bytes) -> bytes | None:
        """The bytes again; None when they were altered, or sealed for another purpose or with another secret."""
