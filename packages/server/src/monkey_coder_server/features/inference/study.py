"""Settles between requests what was learnt, and shares it with other processes and with whatever starts later."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from monkey_coder_server.domain.bandit.checkpoint import Stored, Sum
from monkey_coder_server.domain.bandit.shrinkage import Shrinkage
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.inference.learning import Learning
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


class Study:
    """Goes on every so many seconds. A database that is away delays what others learn of, never a request.

    `instance` names this process, and no other ever. The estimate runs in a thread: of much evidence it takes long.
    """

    def __init__(
        self, learning: Learning, store: EvidenceStore, clock: Clock, *, instance: str, seconds: float
    ) -> None:
        self._learning = learning
        self._store = store
        self._instance = instance
        self._clock = clock
        self._seconds = seconds
        self._read_at: datetime | None = None
        self._read_next = 0.0
        self._going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take in what was learnt before, then begin."""
        await self._step()
        self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Settle and write the rest, and end."""
        if self._going is not None:
            self._going.cancel()
            with suppress(asyncio.CancelledError):
                await self._going
        await self._step()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._step()

    async def _step(self) -> None:
        self._learning.told()
        with suppress(GatewayError):
            await self._share()
        await self._settle()

    async def _settle(self) -> None:
        beliefs = self._learning.beliefs
        evidence = beliefs.unsettled()
        if evidence is not None:
            beliefs.settle(await asyncio.to_thread(Shrinkage.of, evidence, dict(beliefs.stated)))

    async def _share(self) -> None:
        """Add what this process saw to the sums of all, and take those in now and then. Raises `Unavailable`."""
        evidence = self._learning.beliefs.evidence
        while (delta := evidence.delta(MOST_SUMS)) is not None:
            await self._store.add(self._instance, delta)
            evidence.sent(delta.sequence)
        if self._clock.monotonic() < self._read_next:
            return
        asked_at = self._clock.now()
        since = None if self._read_at is None else self._read_at - OVERLAP
        stored = await self._store.changed(self._instance, since)
        await self._take(stored.sums, stored.applied)
        await self._store.forget(asked_at - KEPT)
        self._read_at, self._read_next = asked_at, self._clock.monotonic() + READ_EVERY

    async def _take(self, sums: Sequence[Sum], applied: int) -> None:
        for start in range(0, len(sums), TAKEN_AT_ONCE):
            self._learning.beliefs.take(Stored(sums[start : start + TAKEN_AT_ONCE], applied))
            await asyncio.sleep(0)
