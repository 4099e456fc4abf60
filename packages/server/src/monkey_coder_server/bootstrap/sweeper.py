"""Ends what is past its time, once a minute, by a time of day that has lasted."""

import asyncio
import logging
from datetime import date, datetime

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.storage.following import MOST_APART
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.lasting import Lasting, look
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 60.0


class Sweeper:
    """Holds and leases whose owner is gone, credit that expires, answers that go.

    By a clock that is far from the database's, others' things would end before their time: nothing is ended by it.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._time: Lasting | None = None
        self._head_told: date | None = None

    async def run(self, metrics: Metrics) -> None:
        """At start and once a minute, until it is cancelled."""
        while True:
            try:
                await self.sweep()
            except Unavailable as away:
                logger.info("the sweeper waits for the database: %s", away.message)
            except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
                metrics.defect("sweeper", error)
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Once. Raises `Unavailable`."""
        if abs(self._storage.watching.apart) > MOST_APART:
            return
        self._time = look(self._time, self._clock.now(), self._clock.monotonic())
        storage, now = self._storage, self._time.now
        expired = await storage.ledger.expire_holds(now)
        if expired:
            logger.warning("voided %d holds whose requests never ended", expired)
        await storage.ledger.expire_grants(now)
        await storage.tickets.drop_expired(now)
        await storage.audit.tell_counted(now)
        await self._tell_head(now)
        taken_back = await storage.books.expire_leases(now)
        if taken_back:
            logger.warning("took back %d leases of processes that were not heard of", taken_back)
        for forget in (storage.answers.forget, storage.tries.drop_clear):
            while await forget(now):  # some at a time: others write in between
                pass

    async def _tell_head(self, now: datetime) -> None:
        """Once a day into the log, which is kept where the database's administrators cannot write."""
        if self._head_told != now.date():
            entries, head = await self._storage.audit.head()
            logger.info("the audit trail has %d entries, its head is %s", entries, head.hex())
            self._head_told = now.date()
