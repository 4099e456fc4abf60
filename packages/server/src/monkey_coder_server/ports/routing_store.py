"""What all processes have seen of the arms, kept together: figures and names, no text.

An arm is `provider/model`, or that with an effort.
"""

from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored


class EvidenceStore(Protocol):
    """The sums of what all processes saw. Raises `Unavailable`."""

    async def add(self, instance: str, delta: Delta) -> None:
        """Add what a process saw to the sums, durable on return: once, however often it is asked.

        An instance's deltas come one after another, by rising sequence; a new process is a new instance.
        """

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        """The sums that changed since then (None: at most `NEWEST`, the newest)."""

    async def forget(self, before: datetime) -> int:
        """Drop some of the sums nobody added to since; how many, 0 when none is left."""


NEWEST = 20_000
"""So many sums a process starts from; where there are more, the oldest say least of what models can do now."""
