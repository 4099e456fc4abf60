"""The writer of PostgreSQL: what waits together is committed together, by a thread, which waits for the network.

Bounds. A database known to be away refuses at once. Otherwise an operation waits in the queue for at most
`QUEUED`, and for the server's answers at most `ANSWER` a piece; a connection that is lost in the middle
of a commit is opened again to ask the server what became of it. Whatever happens, `LONGEST` after it was
submitted the caller knows that its end is not known.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

from monkey_coder_server.adapters.storage.operations import (
    CAPACITY,
    UNHEALTHY_SECONDS,
    Job,
    Steps,
    resolve,
    unavailable,
    whole,
)
from monkey_coder_server.adapters.storage.postgres.batch import InDoubt, Lost
from monkey_coder_server.adapters.storage.postgres.connection import Server, TooSlow, after
from monkey_coder_server.adapters.storage.postgres.link import Link
from monkey_coder_server.adapters.storage.postgres.problems import unknown_end
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)

BATCH = 64
"""PostgreSQL keeps no more savepoints of a transaction at hand."""
QUEUED = timedelta(seconds=10)
LONGEST = timedelta(seconds=20)
LOOK_SECONDS = 2
"""How often an idle connection is tried, so that readiness tells of a database that has gone."""

T = TypeVar("T")


class PgWriter:
    """`operations.Writing` on PostgreSQL. Start and use it from one event loop."""

    def __init__(self, server: Server, *, clock: Clock, capacity: int = CAPACITY) -> None:
        self._link = Link(server)
        self._clock = clock
        self._capacity = capacity
        self._queue: deque[Job[Any]] = deque()
        self._something = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._outstanding: dict[Job[Any], int] = {}
        self._guard: asyncio.TimerHandle | None = None
        self._closing = False
        self._unhealthy_until = 0

    async def start(self) -> None:
        """Connect. Raises `psycopg.Error`."""
        self._thread.start()
        await self._opened

    @property
    def alive(self) -> bool:
        """Whether operations are taken and served."""
        return self._thread.is_alive() and not self._closing

    @property
    def away(self) -> bool:
        """Whether the database is known not to answer."""
        return self._link.away

    @property
    def failing(self) -> bool:
        """Whether the database is away, or a transaction was lost in the last seconds."""
        return self._link.away or self._clock.monotonic() < self._unhealthy_until

    def submit(self, body: Callable[[Transaction], T]) -> Job[T]:
        """Queue an operation. Raises `Unavailable`."""
        if not self.alive:
            raise unavailable("it is closed")
        if self._link.away:
            raise unavailable("it is away")
        if len(self._outstanding) >= self._capacity:
            raise unavailable("too many operations are waiting")
        job = Job(body, self._loop.create_future())
        self._outstanding[job] = time.monotonic_ns()
        if self._guard is None:
            self._guard = self._loop.call_later(1, self._give_up_late_ones)
        with self._something:
            self._queue.append(job)
            self._something.notify()
        return job

    async def perform(self, body: Callable[[Transaction], T]) -> T:
        """Run an operation; its result once it is durable. Cancelling the caller does not stop the operation."""
        job = self.submit(body)
        await job.committed
        return job.result()

    async def perform_each(self, several: Sequence[Steps]) -> Sequence[Job[None]]:
        """Run operations that may be heavy: here no other waits for them but in the queue. See the protocol."""
        jobs = [self.submit(whole(steps)) for steps in several]
        for job in jobs:
            await job.committed
        return jobs

    async def close(self) -> None:
        """Serve what waits, then end the thread and close the connection. Harmless when closed."""
        with self._something:
            self._closing = True
            self._something.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        if self._guard is not None:
            self._guard.cancel()

    def _give_up_late_ones(self) -> None:
        """In the loop, once a second while anything is outstanding: no caller waits longer than was promised."""
        with self._something:
            queued = [job for job in self._queue if self._older(job, QUEUED)]
            for job in queued:
                self._queue.remove(job)
        for job in queued:
            job.error = unavailable("it is too slow")
        late = [job for job in self._outstanding if self._older(job, LONGEST) and job not in queued]
        for job in late:
            job.error = unknown_end()
        self._tell([*queued, *late])
        self._guard = self._loop.call_later(1, self._give_up_late_ones) if self._outstanding else None

    def _older(self, job: Job[Any], than: timedelta) -> bool:
        """Whether an operation was submitted longer ago."""
        return after(-than) > self._outstanding[job]

    def _tell(self, jobs: Iterable[Job[Any]]) -> None:
        """In the loop: these have ended, one way or the other."""
        for job in jobs:
            self._outstanding.pop(job, None)
            resolve(job.committed)

    def _tell_lost(self, jobs: Iterable[Job[Any]]) -> None:
        """In the loop: these have ended with their connection."""
        self._unhealthy_until = int(self._clock.monotonic()) + UNHEALTHY_SECONDS
        self._tell(jobs)

    def _tell_well(self, jobs: Iterable[Job[Any]]) -> None:
        """In the loop: these have ended as they should."""
        self._unhealthy_until = 0
        self._tell(jobs)

    def _call(self, tell: Callable[..., None], *what: object) -> None:
        """Run a function in the event loop; a loop that is gone has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(tell, *what)
        except RuntimeError:
            logger.warning("the event loop closed before the ledger did")

    def _serve(self) -> None:
        """The thread: connect, serve until closing and nothing waits."""
        try:
            self._link.open()
        except psycopg.Error as error:
            self._call(self._opened.set_exception, error)
            return
        self._call(self._opened.set_result, None)
        while True:
            if self._link.batches is None and self._link.try_to_open() is None:
                self._refuse(self._take_all())
                if self._rest(self._link.pause):
                    break
                continue
            jobs = self._take()
            if jobs:
                self._run(jobs)
            elif self._closing:
                break
            else:
                self._link.look()
        self._link.close()

    def _take(self) -> list[Job[Any]]:
        """What waits, as soon as something does; nothing after `LOOK_SECONDS` or when closing."""
        with self._something:
            if not self._queue and not self._closing:
                self._something.wait(LOOK_SECONDS)
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]

    def _take_all(self) -> list[Job[Any]]:
        with self._something:
            jobs = list(self._queue)
            self._queue.clear()
        return jobs

    def _rest(self, pause: timedelta) -> bool:
        """Pause; whether to end instead."""
        with self._something:
            if not self._closing:
                self._something.wait_for(lambda: self._closing, pause.total_seconds())
            return self._closing

    def _refuse(self, jobs: Sequence[Job[Any]]) -> None:
        for job in jobs:
            job.error = unavailable("it is away")
        if jobs:
            self._call(self._tell_lost, jobs)

    def _run(self, jobs: Sequence[Job[Any]]) -> None:
        """Run operations until each has ended; after a connection that was lost before their commit, once more."""
        waiting, may_lose = list(jobs), True
        while waiting:
            batches = self._link.batches or self._link.try_to_open()
            if batches is None:
                self._refuse(waiting)
                return
            ended: set[Job[Any]] = set()
            try:
                batches.run(waiting, ended)
            except InDoubt as doubt:
                self._link.lose(doubt)
                ended.update(self._settle(doubt))
            except Lost as lost:
                self._link.lose(lost.reason)
                if isinstance(lost.reason, TooSlow) or not may_lose:
                    self._refuse([job for job in waiting if job not in ended])
                    waiting = [job for job in waiting if job in ended]
                may_lose = False
            self._call(self._tell_well, ended)
            waiting = [job for job in waiting if job not in ended]

    def _settle(self, doubt: InDoubt) -> Sequence[Job[Any]]:
        """Ask what became of a commit; the operations that have ended with it: all, but for those to be run again."""
        committed = self._link.committed(doubt.transaction_id)
        if committed is False:
            return ()
        if committed is None:
            for job in doubt.jobs:
                job.error = job.error or unknown_end()
        return doubt.jobs
