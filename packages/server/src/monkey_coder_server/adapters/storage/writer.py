"""The one writer: a thread that runs waiting operations in one transaction and commits them together.

Each operation runs inside its own savepoint, so one that raises leaves nothing behind and spoils no other. An
operation that asks for it is told its decision before the commit; whoever got a decision early waits for `committed`
before relying on it. When a transaction is lost (disk full, I/O error) every operation in it learns that: nothing
that was told as committed is ever undone, nothing decided is undone silently.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)

CAPACITY = 4_096
BATCH = 128
RETRY_AFTER_SECONDS = 1
UNHEALTHY_SECONDS = 5

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """An operation on its way through the writer. Read `result` after awaiting `decided` or `committed`."""

    body: Callable[[Transaction], T]
    committed: asyncio.Future[None]
    decided: asyncio.Future[None]
    error: Exception | None = None
    _value: list[T] = field(default_factory=list)

    def run(self, transaction: Transaction) -> None:
        """Run the body and keep what it returned."""
        self._value = [self.body(transaction)]

    def result(self) -> T:
        """What the body returned; raises what it raised, or `Unavailable` when its transaction was lost."""
        if self.error is not None:
            raise self.error
        return self._value[0]


def unavailable(reason: str) -> Unavailable:
    """The error of a store that cannot be written now."""
    message = f"The ledger cannot be written right now ({reason}). Nothing was charged; please try again."
    return Unavailable(message, retry_after=RETRY_AFTER_SECONDS)


class Writer:
    """Owns the writing connection and its thread. Start and use it from one event loop."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], *, clock: Clock, capacity: int = CAPACITY, batch: int = BATCH
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._capacity = capacity
        self._batch = batch
        self._queue: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closing = False
        self._unhealthy_until = 0

    async def start(self) -> None:
        """Open the connection. Raises `sqlite3.Error` when that fails."""
        self._thread.start()
        await self._opened

    @property
    def alive(self) -> bool:
        """Whether operations are taken and served."""
        return self._thread.is_alive() and not self._closing

    @property
    def failing(self) -> bool:
        """Whether a transaction was lost in the last seconds; afterwards the next operation tries again."""
        return self._clock.monotonic() < self._unhealthy_until

    def submit(self, body: Callable[[Transaction], T], *, announce: bool = False) -> Job[T]:
        """Queue an operation; with `announce` its decision is told before the commit. Raises `Unavailable`."""
        if not self.alive:
            raise unavailable("it is closed")
        if self._queue.qsize() >= self._capacity:
            raise unavailable("too many operations are waiting")
        committed: asyncio.Future[None] = self._loop.create_future()
        job = Job(body, committed, self._loop.create_future() if announce else committed)
        self._queue.put(job)
        return job

    async def perform(self, body: Callable[[Transaction], T]) -> T:
        """Run an operation; its result once it is on disk. Cancelling the caller does not stop the operation."""
        job = self.submit(body)
        await job.committed
        return job.result()

    async def close(self) -> None:
        """Serve what is queued, then end the thread and close the connection. Harmless when closed."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        """The thread: one transaction for everything that waits, for ever."""
        try:
            connection = self._connect()
        except sqlite3.Error as error:
            self._tell(_fail, self._opened, error)
            return
        self._tell(_resolve, self._opened)
        transaction = SqliteTransaction(connection)
        try:
            job = self._queue.get()
            while job is not None:
                job = self._serve_batch(transaction, job)
        finally:
            connection.close()
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        """Answer what came too late, or what a dying thread leaves behind."""
        rest: list[Job[Any]] = []
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                job.error = unavailable("it is closed")
                rest.append(job)
        self._tell(_deliver, rest)

    def _serve_batch(self, transaction: SqliteTransaction, first: Job[Any]) -> Job[Any] | None:
        """Run one transaction beginning with `first`; the job that starts the next one, None to stop."""
        jobs: list[Job[Any]] = [first]
        following: Job[Any] | None = None
        stopping = False
        try:
            transaction.cursor.execute("BEGIN IMMEDIATE")
            _run(transaction, first)
            while len(jobs) < self._batch and not self._queue.empty():
                job = self._queue.get()
                if job is None:
                    stopping = True
                    break
                jobs.append(job)
                _run(transaction, job)
            self._announce(jobs)
            transaction.cursor.execute("COMMIT")
            self._unhealthy_until = 0
        except sqlite3.Error as error:
            self._lose(transaction, jobs, error)
        self._tell(_deliver, jobs)
        if not stopping:
            following = self._queue.get()
        return following

    def _announce(self, jobs: list[Job[Any]]) -> None:
        """Tell decisions that are certain unless the commit fails."""
        early = [job.decided for job in jobs if job.decided is not job.committed]
        if early:
            self._tell(_resolve, *early)

    def _lose(self, transaction: SqliteTransaction, jobs: list[Job[Any]], error: sqlite3.Error) -> None:
        """The transaction cannot be committed: undo it and tell every operation in it, except refusals."""
        self._unhealthy_until = int(self._clock.monotonic()) + UNHEALTHY_SECONDS
        logger.error("ledger transaction lost: %s", error, extra={"operations": len(jobs)})
        if transaction.connection.in_transaction:
            try:
                transaction.cursor.execute("ROLLBACK")
            except sqlite3.Error as second:
                logger.error("ledger rollback failed: %s", second)  # noqa: TRY400 - the first error explains it
        for job in jobs:
            if not isinstance(job.error, GatewayError):
                job.error = unavailable(type(error).__name__)

    def _tell(self, tell: Callable[..., None], *what: object) -> None:
        """Run a function in the event loop; a loop that is gone has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(tell, *what)
        except RuntimeError:
            logger.warning("the event loop closed before the ledger did")


def _run(transaction: SqliteTransaction, job: Job[Any]) -> None:
    """Run one operation inside a savepoint. Raises `sqlite3.Error` only when the whole transaction is lost."""
    cursor = transaction.cursor
    cursor.execute("SAVEPOINT job")
    try:
        job.run(transaction)
    except Exception as error:
        if not transaction.connection.in_transaction:
            message = f"rolled back by the database: {error}"
            raise sqlite3.OperationalError(message) from error
        cursor.execute("ROLLBACK TO job")
        job.error = unavailable(type(error).__name__) if isinstance(error, sqlite3.OperationalError) else error
    cursor.execute("RELEASE job")


def _resolve(*futures: asyncio.Future[None]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _deliver(jobs: list[Job[Any]]) -> None:
    """Tell each operation that its transaction has ended, one way or the other."""
    for job in jobs:
        _resolve(job.decided, job.committed)
