"""Answers kept for a while: their account may ask for them again, and go on from them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.record import Record


class StoredAnswer(Record, frozen=True, kw_only=True):
    """`body` is the answer as its caller got it, `asked` the JSON array of what it was asked.

    `previous` is the answer it goes on from.
    """

    answer_id: str
    account_id: str
    previous: str | None
    asked: bytes
    body: bytes
    at: datetime
    expires_at: datetime


class Answers(Protocol):
    """Answers of accounts, each seen by its own account until it expires."""

    async def save(self, answer: StoredAnswer, items: Collection[str]) -> None:
        """Keep an answer, to be found by its output items, too; durable on return.

        A second one of the same id and account changes nothing.
        """

    async def get(self, account_id: str, answer_id: str) -> StoredAnswer | None:
        """An account's answer; None when there is none, or no more."""

    async def lineage(self, account_id: str, answer_id: str) -> tuple[StoredAnswer, ...]:
        """The answer and all it goes on from, oldest first; empty when one of them is gone."""

    async def holding(self, account_id: str, items: Collection[str]) -> Mapping[str, StoredAnswer]:
        """The answers in which output items stand, by the items' ids; unknown ones are left out."""

    async def delete(self, account_id: str, answer_id: str) -> bool:
        """Forget an answer; durable on return. Whether there was one."""

    async def forget(self, now: datetime) -> int:
        """Drop some of what has expired; how many."""
