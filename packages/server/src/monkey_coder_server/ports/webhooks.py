"""Webhooks: where accounts are told, and how a notice gets there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.record import Record


class Webhook(Record, frozen=True):
    """An address an account wants notices at; `kinds` empty: all of them. Secrets are sealed.

    `former_secret` signs beside the other until `former_until`.
    """

    webhook_id: str
    account_id: str
    url: str
    kinds: frozenset[str]
    secret: bytes
    created_by: str
    created_at: datetime
    former_secret: bytes | None = None
    former_until: datetime | None = None


class Webhooks(Protocol):
    """Each call is one transaction, durable on return. Raises `Unavailable`."""

    async def add(self, webhook: Webhook, *, most: int) -> None:
        """Store a new one. Raises `NotFound` for an account without a wallet, `Conflict` when it has `most`."""

    async def of_account(self, account_id: str) -> Sequence[Webhook]:
        """An account's webhooks, oldest first."""

    async def find(self, account_id: str, webhook_id: str) -> Webhook | None:
        """One that was not removed."""

    async def rotate(self, webhook: Webhook, secret: bytes, *, until: datetime) -> bool:
        """Sign with a new secret, and with that of `webhook` until then; False when that is not its any more."""

    async def remove(self, account_id: str, webhook_id: str) -> bool:
        """Tell nothing there any more; False when there is none."""


class Undelivered(Exception):
    """A receiver did not take a notice; the message says why in words for its owner."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Posting(Protocol):
    """The way out for webhooks."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post JSON once. Raises `Undelivered`."""
