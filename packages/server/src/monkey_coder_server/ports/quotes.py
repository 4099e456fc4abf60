"""Quotes: prices promised for one request until they expire."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredQuote:
    """`fingerprint` is the SHA-256 of the canonical request body it is for; `body` the quoted price rows as JSON."""

    quote_id: str
    account_id: str
    fingerprint: bytes
    body: bytes
    expires_at: datetime


class Quotes(Protocol):
    """Quotes of accounts. Expired ones are forgotten."""

    async def save(self, quote: StoredQuote) -> None:
        """Store a quote; durable on return."""

    async def get(self, account_id: str, quote_id: str) -> StoredQuote | None:
        """An account's quote while it is binding; None when there is none or it expired."""
