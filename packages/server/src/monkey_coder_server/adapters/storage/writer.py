"""The one writer: what comes together is run in one transaction and committed together (group commit).

Statements only touch pages in memory, so they run in the event loop, where they wait for no other thread's turn at
the interpreter; what waits for the disk or for another process (COMMIT, a taken lock) runs in the writer's thread,
and whatever comes meanwhile makes the next transaction. One side has the connection at a time. An operation whose
commit nobody waits for yet lingers for company: its transaction stays open until somebody waits for one in it, or
`LINGER` is over.

An operation that raises leaves nothing behind and spoils no other: what runs in one turn shares a savepoint, or what
comes first the transaction itself; when one of them raises, that is undone before anybody has heard of it and each is
run again in a savepoint of its own (so operations do nothing but read and write through their transaction). When a
transaction is lost (disk full, I/O error) every operation in it learns that: nothing told as committed is ever undone,
nothing decided undone silently.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from monkey_coder_server.adapters.storage.operations import (
    CAPACITY,
    UNHEALTHY_SECONDS,
    Job,
    Steps,
    resolve,
    unavailable,
    whole,
)
from monkey_coder_server.adapters.storage.savepoints import run_alone, run_in_steps, run_together
from monkey_coder_server.adapters.storage.sqlite import BUSY_TIMEOUT_MS, PRIMARY_CODE, SqliteTransaction
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.adapters.storage.waiting import Waiting
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)

BATCH = 256
HEAVY = 2
"""How many heavy operations make a batch: some 15 ms of work and 40 ms of pauses, which other processes wait for."""
STEPS_NANOSECONDS = 400_000
"""How long the steps of a heavy operation take in one turn of the loop, if one of them alone does not take longer."""
PAUSE = timedelta(milliseconds=1)
"""How long a heavy operation then stops: who is served meanwhile waits for one turn of it or two, not for all."""
LATE_NANOSECONDS = 1_500_000
"""A pause that took longer tells of a full loop: to stop again would only cost caches, so it goes on to its end."""
APART = 64
"""How many operations get savepoints of their own after one that raised: others may raise as well."""
LINGER = timedelta(milliseconds=5)
"""How long a transaction stays open that nobody waits for."""
LOOK = timedelta(microseconds=500)
"""How often it is tried to take a lock that another process has."""

T = TypeVar("T")

Rescue = Callable[[sqlite3.Error], bool]
"""Asked when a transaction cannot be committed: whether what was wrong is put right, so that it is run once more."""


class Writer:
    """Owns the writing connection and its thread. Start and use it from one event loop."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        clock: Clock,
        capacity: int = CAPACITY,
        name: str = "ledger",
        rescue: Rescue | None = None,
    ) -> None:
        self._name = name
        self._rescue = rescue
        self._connect = connect
        self._clock = clock
        self._capacity = capacity
        self._waiting = Waiting()
        self._running: list[Job[Any]] = []
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name=f"{name}-writer", daemon=True)
        self._opened: asyncio.Future[SqliteTransaction] = self._loop.create_future()
        self._turn_is_due = False
        self._awaited = False
        self._apart = 0
        self._midway: Generator[None, None, bool] | None = None
        self._stopped = 0
        self._lingering: asyncio.TimerHandle | None = None
        self._away = False
        self._serving = self._closing = False
        self._unhealthy_until = 0

    async def start(self) -> None:
        """Open the connection. Raises `sqlite3.Error` when that fails."""
        self._serving = True
        self._thread.start()
        await self._opened

    @property
    def alive(self) -> bool:
        """Whether operations are taken and served."""
        return self._serving and not self._closing

    @property
    def failing(self) -> bool:
        """Whether a transaction was lost in the last seconds; afterwards the next operation tries again."""
        return self._unhealthy_until > 0 and self._clock.monotonic() < self._unhealthy_until

    def submit(self, body: Callable[[Transaction], T], *, awaited: bool = True, steps: Steps | None = None) -> Job[T]:
        """Queue an operation. Raises `Unavailable`.

        `awaited` False: nobody waits for its commit, so that may wait for company; see `hurry`. `steps`: of a heavy
        one; see `waiting`.
        """
        if not self.alive:
            raise unavailable("it is closed")
        if len(self._waiting) >= self._capacity:
            raise unavailable("too many operations are waiting")
        job = Job(body, self._loop.create_future(), awaited, steps)
        self._waiting.add(job)
        self._take_turns()
        return job

    def hurry(self, job: Job[Any]) -> None:
        """Somebody waits for the commit of an operation now."""
        job.awaited = True
        if job.decided and not job.committed.done():
            self._awaited = True
            self._take_turns()

    async def perform(self, body: Callable[[Transaction], T]) -> T:
        """Run an operation; its result once it is on disk. Cancelling the caller does not stop the operation."""
        job = self.submit(body)
        await job.committed
        return job.result()

    async def perform_each(self, several: Sequence[Steps]) -> Sequence[Job[None]]:
        """Run heavy operations, of which only the last one's commit is waited for. See the protocol."""
        jobs = [self.submit(whole(steps), awaited=steps is several[-1], steps=steps) for steps in several]
        for job in jobs:
            await job.committed
        return jobs

    async def close(self) -> None:
        """Serve what waits, then end the thread and close the connection. Harmless when closed."""
        self._closing = self._awaited = True
        self._take_turns()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _take_turns(self) -> None:
        """See to it that the loop's next turn goes on with the transaction, or a later one with a heavy operation."""
        if not self._turn_is_due and not self._away:
            self._turn_is_due = True
            if self._midway is None or self._waiting.hurry:
                self._loop.call_soon(self._turn)
            else:
                self._loop.call_later(PAUSE.total_seconds(), self._turn)

    def _turn(self) -> None:
        """Run some of what waits; commit once nothing waits or enough has run, as soon as somebody waits for it."""
        self._turn_is_due = False
        transaction = self._opened.result()
        if self._goes_on:
            self._run_some(transaction)
        if self._away:
            return
        if self._goes_on:
            self._take_turns()
        elif self._running and (self._awaited or self._waiting):
            self._send(lambda: self._commit(transaction))
        elif self._running and self._lingering is None:
            self._lingering = self._loop.call_later(LINGER.total_seconds(), self._linger_no_more)
        self._leave_when_done()

    @property
    def _goes_on(self) -> bool:
        """Whether the transaction takes more of what waits."""
        running = self._running
        if self._midway is not None:
            return True
        if len(running) >= BATCH or sum([job.steps is not None for job in running]) >= HEAVY:
            return False
        return self._waiting.goes_on(begun=bool(running), awaited=self._awaited)

    def _run_some(self, transaction: SqliteTransaction) -> None:
        """Run what waits in the open transaction, but no more than other tasks of the loop can bear.

        One after another costs less than each where it arises: what a statement needs is still in the caches.
        """
        try:
            if self._midway is not None or self._running or self._begin(transaction):
                self._go_on(transaction)
        except sqlite3.Error as error:
            self._lose(transaction, error)

    def _go_on(self, transaction: SqliteTransaction) -> None:
        """Run the next operations, or some more of a heavy one. Raises as `_run_all` does."""
        if self._midway is None:
            first = not self._running
            jobs = self._waiting.take(begun=not first)
            self._running.extend(jobs)
            self._awaited = self._awaited or any(job.awaited for job in jobs)
            steps = jobs[0].steps
            if steps is None or self._apart > 0:
                self._run_all(transaction, jobs, first=first)
                return
            self._stopped = time.monotonic_ns()
            self._midway = run_in_steps(transaction, jobs[0], steps, savepoint=None if first else "turn")
        now = time.monotonic_ns()
        if now - self._stopped > LATE_NANOSECONDS:
            self._stopped = 0
        try:
            next(self._midway)
            while not self._stopped or time.monotonic_ns() < now + STEPS_NANOSECONDS:
                next(self._midway)
            self._stopped = time.monotonic_ns()
        except StopIteration as ended:
            self._midway = None
            if not ended.value:
                self._run_apart(transaction, self._running[-1:], first=len(self._running) == 1)

    def _run_all(self, transaction: SqliteTransaction, jobs: list[Job[Any]], *, first: bool) -> None:
        """Run operations, each alone if one of them raises. Raises `sqlite3.Error` when the transaction is lost.

        What comes `first` in a transaction needs no savepoint: it is undone with the transaction, which begins anew.
        """
        if self._apart <= 0 and (first or len(jobs) > 1):
            if not run_together(transaction, jobs, savepoint=None if first else "turn"):
                self._run_apart(transaction, jobs, first=first)
            return
        for job in jobs:
            run_alone(transaction, job)
        self._apart -= len(jobs)

    def _run_apart(self, transaction: SqliteTransaction, jobs: list[Job[Any]], *, first: bool) -> None:
        """One raised, all were undone: run each alone, what came `first` in a transaction that begins anew."""
        self._apart = APART
        if first:
            self._again()
        else:
            self._run_all(transaction, jobs, first=False)

    def _linger_no_more(self) -> None:
        self._awaited = True
        self._take_turns()

    def _begin(self, transaction: SqliteTransaction) -> bool:
        """Take the write lock; when another process has it, the thread waits for it instead."""
        if transaction.connection.in_transaction:
            return True
        failure = _begin(transaction)
        if failure is None:
            return True
        if not _busy(failure):
            self._running.extend(self._waiting.take(begun=False))
            raise failure
        self._send(lambda: self._wait_for_lock(transaction))
        return False

    def _lose(self, transaction: SqliteTransaction, error: sqlite3.Error) -> None:
        """The transaction cannot be committed: undo it and tell every operation in it; refusals stay refusals."""
        self._midway = None
        if transaction.connection.in_transaction:
            transaction.cursor.execute("ROLLBACK")
        if self._rescue is not None and self._rescue(error):
            self._again()
            return
        self._unhealthy_until = int(self._clock.monotonic()) + UNHEALTHY_SECONDS
        logger.error("%s transaction lost: %s", self._name, error, extra={"operations": len(self._running)})
        for job in self._running:
            if not isinstance(job.error, GatewayError):
                job.error = unavailable(type(error).__name__)
        self._tell_all()

    def _again(self) -> None:
        """Run the operations of a transaction that was undone anew, before all that came after them."""
        for job in self._running:
            job.error = None
        self._waiting.put_back(self._running)
        self._running = []
        self._take_turns()

    def _tell_all(self) -> None:
        """The transaction has ended, one way or the other."""
        self._awaited = self._closing
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        ended, self._running = self._running, []
        for job in ended:
            resolve(job.committed)

    def _send(self, errand: Callable[[], None]) -> None:
        """Give the connection to the thread until it comes back."""
        self._away = True
        self._errands.put(errand)

    def _come_back(self, transaction: SqliteTransaction, error: sqlite3.Error | None, *, committed: bool) -> None:
        """In the loop again: tell how it went and go on with what came meanwhile."""
        self._away = False
        if error is not None:
            if not committed:
                self._running.extend(self._waiting.take_all())
            self._lose(transaction, error)
        elif committed:
            self._unhealthy_until = 0
            self._tell_all()
        if self._waiting:
            self._take_turns()
        self._leave_when_done()

    def _leave_when_done(self) -> None:
        if self._closing and not (self._away or self._waiting or self._running):
            self._errands.put(None)

    def _serve(self) -> None:
        """The thread. That it is there is noted: to ask it takes a lock, and every request does."""
        try:
            self._run_errands()
        finally:
            self._serving = False

    def _run_errands(self) -> None:
        """Open the connection, run errands until there are no more, close it."""
        try:
            connection = self._connect()
        except sqlite3.Error as error:
            self._tell(self._opened.set_exception, error)
            return
        transaction = SqliteTransaction(connection)
        self._tell(self._opened.set_result, transaction)
        while (errand := self._errands.get()) is not None:
            errand()
        transaction.cursor.close()  # a statement it still has would keep the file open, and its lock
        connection.close()

    def _commit(self, transaction: SqliteTransaction) -> None:
        """In the thread: make the transaction durable.

        Not by a cursor, which takes its turn at the interpreter once more, behind the loop, to reset its statement.
        """
        failure: sqlite3.Error | None = None
        try:
            transaction.connection.commit()
        except sqlite3.Error as error:
            failure = error
        self._tell(lambda: self._come_back(transaction, failure, committed=True))

    def _wait_for_lock(self, transaction: SqliteTransaction) -> None:
        """In the thread: begin as soon as the other process lets go, within the busy timeout.

        SQLite itself would look ten times a second in the end, and so miss one that lets go only for a moment.
        """
        until = time.monotonic_ns() + BUSY_TIMEOUT_MS * 1_000_000
        while (failure := _begin(transaction)) is not None and _busy(failure) and time.monotonic_ns() < until:
            time.sleep(LOOK.total_seconds())
        self._tell(lambda: self._come_back(transaction, failure, committed=False))

    def _tell(self, tell: Callable[..., None], *what: object) -> None:
        """Run a function in the event loop; a loop that is gone has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(tell, *what)
        except RuntimeError:
            logger.warning("the event loop closed before the %s did", self._name)


def _begin(transaction: SqliteTransaction) -> sqlite3.Error | None:
    """Take the write lock, without waiting for it; what the database has against that."""
    try:
        transaction.cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return error
    return None


def _busy(error: sqlite3.Error) -> bool:
    """Whether another process has the lock."""
    return getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE == sqlite3.SQLITE_BUSY
