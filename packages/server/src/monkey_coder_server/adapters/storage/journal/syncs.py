"""What is written to a file without a wait is made durable together: one `fdatasync` for all that came meanwhile."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable

from monkey_coder_server.adapters.storage.journal.company import Company
from monkey_coder_server.adapters.storage.operations import unavailable

IDLE_NANOSECONDS = 100_000
"""A turn of the loop that takes no longer found nothing else to do."""
GATHER_NANOSECONDS = 4_000_000
"""How long endings gather while the loop has much to do: an `fdatasync` takes the CPU time of a tenth of a request."""

logger = logging.getLogger(__name__)


class Sync:
    """Makes durable what was written before it began. Implements `ports.journal.Written`.

    `undo` puts back what the journal remembers in memory, should that fail.
    """

    __slots__ = ("_company", "_done", "_error", "undo")

    def __init__(self) -> None:
        self.undo: list[Callable[[], None]] = []
        self._company = Company()
        self._done = False
        self._error: OSError | None = None

    @property
    def is_kept(self) -> bool:
        """It is: what is written has left this process."""
        return True

    @property
    def is_durable(self) -> bool:
        """Whether it is on disk."""
        return self._done and self._error is None

    async def durable(self) -> None:
        """Wait until it is on disk. Raises `Unavailable`."""
        if not self._done:
            await self._company.wait()
        if self._error is not None:
            raise unavailable(type(self._error).__name__)

    def end(self, error: OSError | None = None) -> None:
        """It is over."""
        self._done, self._error = True, error
        if error is not None:
            for put_back in reversed(self.undo):
                put_back()
        self.undo.clear()
        self._company.go_on()


class Syncs:
    """The thread that waits for the disk, and who waits for it. Use it from one event loop."""

    def __init__(self, sync: Callable[[], None] | None) -> None:
        """Without a `sync`, as with relaxed durability, what is written counts as durable."""
        self._sync = sync
        self._loop = asyncio.get_running_loop()
        self._next: Sync | None = None
        self._away: Sync | None = None
        self._since = self._turned = 0
        self._turns: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="journal-syncs", daemon=True)
        self._thread.start()
        self.failed = False
        """Nothing that was written before a failure is known to be on disk: nothing more should be."""

    def next(self) -> Sync:
        """The one that takes in what is written in this turn of the loop. Raises `Unavailable`."""
        sync = self._next
        if sync is None:
            sync = Sync()
            if self._sync is None:
                sync.end()
                return sync
            self._next = sync
            if self._away is None:
                self._gather()
        return sync

    async def close(self) -> None:
        """Let all end that were begun, then the thread."""
        while (last := self._next or self._away) is not None:
            await asyncio.gather(last.durable(), return_exceptions=True)
        self._turns.put(None)
        await asyncio.to_thread(self._thread.join)

    def _gather(self) -> None:
        """Begin in a turn of the loop that finds nothing else to do, or soon in any case."""
        self._since = self._turned = time.monotonic_ns()
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        now = time.monotonic_ns()
        if now - self._turned > IDLE_NANOSECONDS and now - self._since < GATHER_NANOSECONDS:
            self._turned = now
            self._loop.call_soon(self._turn)
            return
        self._away, self._next = self._next, None
        self._turns.put(self._sync)

    def _ended(self, error: OSError | None) -> None:
        away, self._away = self._away, None
        if error is not None and not self.failed:
            self.failed = True
            logger.error("the journal's slots cannot be written any more: %s", error.strerror)
        if self._next is not None:
            self._gather()
        if away is not None:
            away.end(error)

    def _serve(self) -> None:
        """The thread."""
        while (sync := self._turns.get()) is not None:
            error = None
            try:
                sync()
            except OSError as failure:
                error = failure
            self._loop.call_soon_threadsafe(self._ended, error)
