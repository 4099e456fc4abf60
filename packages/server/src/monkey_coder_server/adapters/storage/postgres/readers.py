"""Reads on PostgreSQL: each one repeatable-read, read-only transaction on one of a few connections, all bounded."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import psycopg
from psycopg import sql

from monkey_coder_server.adapters.storage.operations import CAPACITY
from monkey_coder_server.adapters.storage.postgres.connection import ANSWER, Connection, Server, after, connect
from monkey_coder_server.adapters.storage.postgres.problems import is_lost, told, unreadable
from monkey_coder_server.adapters.storage.postgres.transaction import PgTransaction
from monkey_coder_server.adapters.storage.tenancy import SETTING, TENANT
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Unavailable

THREADS = 3
LONGEST = timedelta(seconds=10)
"""How long anybody waits for a read, his turn included."""
REPORT = timedelta(minutes=10)
AGAIN = timedelta(milliseconds=500)
"""After an attempt to connect that failed, reads are refused for so long without another."""

_BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
logger = logging.getLogger(__name__)

T = TypeVar("T")


class PgReaders:
    """`operations.Reading` on PostgreSQL. Connections are opened when first needed, and again after they were lost.

    While the database is known to be `away` nobody waits to find that out.
    """

    def __init__(
        self, server: Server, *, away: Callable[[], bool], threads: int = THREADS, waiting: int = CAPACITY
    ) -> None:
        self._server = server
        self._away = away
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ledger-reader")
        self._reports = ThreadPoolExecutor(1, thread_name_prefix="ledger-report")
        self._own = threading.local()
        self._opened: set[Connection] = set()
        self._waiting = 0
        self._most_waiting = waiting
        self._away_until = 0
        self._closed = False
        self._wall: bool | None = None

    async def read(self, body: Callable[[Transaction], T]) -> T:
        """Run a reading function. Raises `Unavailable` when too many wait or the database cannot be read."""
        return await self._wait(self._pool, body, answer=ANSWER, longest=LONGEST)

    async def read_of(self, account_id: str, body: Callable[[Transaction], T]) -> T:
        """As `read`, in a role that sees this account's rows only, where there is such a role."""
        return await self._wait(self._pool, body, answer=ANSWER, longest=LONGEST, account_id=account_id)

    async def report(self, body: Callable[[Transaction], T]) -> T:
        """As `read`, one at a time, for one that may take minutes."""
        return await self._wait(self._reports, body, answer=REPORT, longest=2 * REPORT)

    def close(self) -> None:
        """Wait for running reads and close the connections."""
        self._closed = True
        for pool in (self._pool, self._reports):
            pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    async def _wait(
        self,
        pool: ThreadPoolExecutor,
        body: Callable[[Transaction], T],
        *,
        answer: timedelta,
        longest: timedelta,
        account_id: str | None = None,
    ) -> T:
        if self._closed:
            raise unreadable("it is closed")
        if self._away():
            raise unreadable("it is away")
        if self._waiting >= self._most_waiting:
            raise Unavailable("Too many are reading the ledger right now; please try again.", retry_after=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(longest.total_seconds()):  # `wait_for` of Python 3.11 swallows cancellations
                return await asyncio.get_running_loop().run_in_executor(pool, self._run, body, answer, account_id)
        except TimeoutError as error:
            raise unreadable(type(error).__name__) from error
        except psycopg.Error as error:
            meant = told(error)
            raise (unreadable(type(error).__name__) if isinstance(meant, Unavailable) else meant) from error
        finally:
            self._waiting -= 1

    def _run(self, body: Callable[[Transaction], T], answer: timedelta, account_id: str | None) -> T:
        """In a thread: read, once more on a new connection when the old one turns out to be dead."""
        held: Connection | None = getattr(self._own, "connection", None)
        if held is not None:
            try:
                return self._read(held, body, answer, account_id)
            except psycopg.Error as error:
                if not is_lost(held, error):
                    raise
        return self._read(self._connect(), body, answer, account_id)

    def _read(
        self, connection: Connection, body: Callable[[Transaction], T], answer: timedelta, account_id: str | None
    ) -> T:
        connection.patience = answer
        try:
            connection.execute(_BEGIN if account_id is None or not self._walled(connection) else _behind(account_id))
            try:
                found = body(self._own.transaction)
            finally:
                if not connection.closed:
                    connection.execute(b"ROLLBACK")
        except psycopg.Error as error:
            if is_lost(connection, error):
                self._drop(connection)
            raise
        self._away_until = 0  # who could read knows better than who could not connect
        return found

    def _walled(self, connection: Connection) -> bool:
        """Whether the tenants' role can be taken; looked at once, and told where it cannot."""
        if self._wall is None:
            try:
                connection.execute(b"BEGIN; SET LOCAL ROLE %b; SELECT FROM wallets LIMIT 0" % TENANT.encode())
                self._wall = True
            except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege):
                self._wall = False
                logger.warning(
                    "PostgreSQL has no role %s for this user, so row-level security is no second wall: see "
                    "docs/how-to/postgresql.md",
                    TENANT,
                )
            finally:
                connection.execute(b"ROLLBACK")
        return self._wall

    def _connect(self) -> Connection:
        if time.monotonic_ns() < self._away_until:
            message = "it was away a moment ago"
            raise psycopg.OperationalError(message)
        try:
            connection = connect(self._server, "reader")
        except psycopg.Error:
            self._away_until = after(AGAIN)
            raise
        self._opened.add(connection)
        self._own.connection, self._own.transaction = connection, PgTransaction(connection)
        return connection

    def _drop(self, connection: Connection) -> None:
        self._own.connection = self._own.transaction = None
        self._opened.discard(connection)
        with suppress(psycopg.Error):
            connection.close()


def _behind(account_id: str) -> bytes:
    """Begin with no right but to read this account's rows: one message, as without it."""
    return b"%b; SET LOCAL ROLE %b; SET LOCAL %b = %b" % (
        _BEGIN,
        TENANT.encode(),
        SETTING.encode(),
        sql.Literal(account_id).as_bytes(),
    )
