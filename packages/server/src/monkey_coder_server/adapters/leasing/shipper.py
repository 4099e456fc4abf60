"""Brings endings from the journal to the books: in order, in batches, until the books have them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from monkey_coder_server.adapters.leasing.parts import Timing, within
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Books, Resolved
from monkey_coder_server.ports.journal import Journal
from monkey_coder_server.ports.ledger import Charge

logger = logging.getLogger(__name__)

BATCH = 256
"""Endings booked in one transaction, if nobody else waits: some 60 ms of work on SQLite."""


@dataclass(slots=True)
class Shipped:
    """Counts for metrics."""

    endings: int = 0
    refused: int = 0
    failures: int = 0


class Shipper:
    """Ships one journal. What it was told of (`expect`) and is not booked yet it keeps, by account."""

    def __init__(self, books: Books, journal: Journal, *, timing: Timing) -> None:
        self._books = books
        self._journal = journal
        self._timing = timing
        self._expected: defaultdict[str, dict[str, Charge | None]] = defaultdict(dict)
        self._work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._booked: dict[asyncio.Event, None] = {}
        self._task: asyncio.Task[None] | None = None
        self.away = False
        """Whether the books did not take the last batch."""
        self.figures = Shipped()

    def start(self) -> None:
        """Ship until `close`; first what the journal holds already."""
        self._work.set()
        self._task = asyncio.create_task(self._run())

    def expect(self, resolved: Resolved, charge: Charge | None) -> None:
        """A request ended, and its ending is on its way to the journal. `charge` is None when it failed."""
        self._expected[resolved.hold.account_id][resolved.hold.request_id] = charge

    def wake(self, *, hurry: bool = False) -> None:
        """Endings are durable. `hurry`: another process may be asked for one of them; it looks in the books only."""
        self._work.set()
        if hurry:
            self._hurry.set()

    def charge(self, account_id: str, request_id: str) -> Charge | None:
        """What a request was charged that is not booked yet."""
        return self._expected[account_id].get(request_id) if account_id in self._expected else None

    def unbooked(self, account_id: str) -> int:
        """How many endings of an account are not booked yet."""
        return len(self._expected[account_id]) if account_id in self._expected else 0

    @property
    def all_booked(self) -> bool:
        """Whether the books have everything it was told of."""
        return not any(self._expected.values())

    async def flush(self, account_id: str) -> None:
        """Wait until everything that ended of an account is booked. Raises `Unavailable` when that takes too long."""
        waiting = set(self._expected[account_id]) if account_id in self._expected else set()
        await self._booked_all(lambda: not waiting.intersection(self._expected.get(account_id, ())))

    async def close(self) -> None:
        """Book what there is, as long as the books take it, and stop."""
        if self._task is None:
            return
        try:
            await self._booked_all(lambda: self.all_booked, seconds=self._timing.close)
        except Unavailable:
            logger.warning("the books are away: endings stay in the journal and are booked at the next start")
        self._task.cancel()
        await asyncio.wait({self._task})
        self._task = None

    async def _booked_all(self, done: Callable[[], bool], *, seconds: float | None = None) -> None:
        if done():
            return
        booked = asyncio.Event()
        self._booked[booked] = None
        try:
            async with asyncio.timeout(self._timing.flush if seconds is None else seconds):
                while not done():
                    self._work.set()
                    self._hurry.set()
                    booked.clear()
                    await booked.wait()
        except TimeoutError as slow:
            raise Unavailable("The ledger does not answer; try again shortly.", retry_after=2.0) from slow
        finally:
            del self._booked[booked]

    async def _run(self) -> None:
        pause = self._timing.pause
        while True:
            try:
                await self._work.wait()
                await self._ship_all()
                self.away, pause = False, self._timing.pause
            except Exception as error:  # noqa: BLE001 - a loop's boundary: whatever it is, it is tried again
                self._note(error)
                self._work.set()
                await asyncio.sleep(pause)
                pause = min(2 * pause, self._timing.longest_pause)

    async def _gather(self) -> None:
        """Wait a little for more endings, unless somebody waits for those there are."""
        if not self._booked:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.linger):
                    await self._hurry.wait()

    async def _ship_all(self) -> None:
        """Ship until nothing is left, each time what has gathered: what ends while others are booked waits as well."""
        shipped = 0
        while True:
            if shipped < BATCH:
                await self._gather()
            self._work.clear()
            self._hurry.clear()
            page = await self._journal.endings(0, BATCH)
            if not page:
                return
            refused = await within(self._timing.ship, self._books.ship([resolved for _, resolved in page]))
            self._journal.forget([number for number, _ in page])
            for _, resolved in page:
                self._forget(resolved)
            shipped = len(page)
            self._count(shipped, refused)

    def _forget(self, resolved: Resolved) -> None:
        account_id = resolved.hold.account_id
        if account_id in self._expected:
            self._expected[account_id].pop(resolved.hold.request_id, None)
            if not self._expected[account_id]:
                del self._expected[account_id]

    def _count(self, shipped: int, refused: Mapping[str, str]) -> None:
        self.figures.endings += shipped
        self.figures.refused += len(refused)
        for request_id, reason in refused.items():
            logger.error("an ending contradicts the books: %s", reason, extra={"request_id": request_id})
        for booked in self._booked:
            booked.set()

    def _note(self, error: Exception) -> None:
        self.figures.failures += 1
        if not self.away:
            known = isinstance(error, Unavailable)
            logger.warning("endings cannot be booked now: %r", error, exc_info=None if known else error)
        self.away = True
