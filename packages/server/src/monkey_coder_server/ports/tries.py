"""Counted tries of what can be guessed, one count for all processes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from monkey_coder_server.domain.throttling import Allowance


class Tries(Protocol):
    """Counts by subject: any text, of which only a digest is kept.

    Whoever cannot count refuses: `Unavailable` where the database is away.
    """

    async def take(self, subjects: Mapping[str, Allowance], at: datetime) -> timedelta:
        """Count a try for each subject and return nothing to wait, or count none and return how long to wait."""

    async def give_back(self, subject: str, allowance: Allowance) -> None:
        """Uncount one try."""

    async def forget(self, subject: str) -> None:
        """Forget all tries of a subject."""
