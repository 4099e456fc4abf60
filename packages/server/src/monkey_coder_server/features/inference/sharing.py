"""Shares what a process saw with all others: adds its sums to those that are kept, and takes in what others added."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.routing_store import EvidenceStore

MOST_SUMS = 1_000
"""Sums that are written at a time."""
TAKEN_AT_ONCE = 100
"""Sums that are taken in before requests have their turn again."""
READ_EVERY = 30.0
"""Seconds after which what others saw is read again."""
KEPT = timedelta(days=365)
"""What nobody added to for so long is forgotten: models are replaced faster."""
OVERLAP = timedelta(minutes=2)
"""Others' sums are asked for from so long before the last time: clocks differ, and commits take a while."""


class Shared(Protocol):
    """Sums of this process and all others, as `SharedEvidence` is."""

    def delta(self, most: int) -> Delta | None:
        """What to add to the kept sums, at most so many: the same until `sent` was told of it; None for nothing."""

    def sent(self, sequence: int) -> None:
        """The delta of this number is in the kept sums."""


class Sharing:
    """Of one kind of sums. `take` believes what is kept; `instance` names this process and these sums alone."""

    def __init__(
        self,
        shared: Shared,
        take: Callable[[Stored], None],
        store: EvidenceStore,
        clock: Clock,
        *,
        instance: str,
    ) -> None:
        self._shared = shared
        self._take = take
        self._store = store
        self._clock = clock
        self._instance = instance
        self._read_at: datetime | None = None
        self._read_next = 0.0

    async def step(self) -> None:
        """Add what this process saw to the sums of all, and take those in now and then. Raises `Unavailable`."""
        while (delta := self._shared.delta(MOST_SUMS)) is not None:
            await self._store.add(self._instance, delta)
            self._shared.sent(delta.sequence)
        if self._clock.monotonic() < self._read_next:
            return
        asked_at = self._clock.now()
        since = None if self._read_at is None else self._read_at - OVERLAP
        stored = await self._store.changed(self._instance, since)
        await self._take_in(stored.sums, stored.applied)
        await self._store.forget(asked_at - KEPT)
        self._read_at, self._read_next = asked_at, self._clock.monotonic() + READ_EVERY

    async def _take_in(self, sums: Sequence[Sum], applied: int) -> None:
        for start in range(0, len(sums), TAKEN_AT_ONCE):
            self._take(Stored(sums[start : start + TAKEN_AT_ONCE], applied))
            await asyncio.sleep(0)
