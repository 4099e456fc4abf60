"""Time and randomness from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """`now` is aware UTC for records; `monotonic` (seconds) is for durations and deadlines."""

    def now(self) -> datetime:
        """The time of day, UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never jumps."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Identifiers that sort by time: `new("req")` → `req_01j…` (26 base-32 characters of a ULID)."""

    new: Callable[[str], str]
