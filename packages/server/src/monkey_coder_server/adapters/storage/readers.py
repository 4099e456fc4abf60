"""Reads run on their own connections in a few threads, so that a long report never delays a hold."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from monkey_coder_server.adapters.storage.operations import CAPACITY
from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction, open_reader
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Unavailable

THREADS = 3

T = TypeVar("T")


class Readers:
    """A bounded pool of reading threads, each with one connection; each read sees one moment of the database."""

    def __init__(self, path: Path, *, threads: int = THREADS, waiting: int = CAPACITY) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ledger-reader")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._waiting = 0
        self._most_waiting = waiting
        self._closed = False

    async def read(self, body: Callable[[Transaction], T]) -> T:
        """Run a reading function. Raises `Unavailable` when too many wait or the database cannot be read."""
        if self._waiting >= self._most_waiting:
            raise Unavailable("Too many are reading the ledger right now; please try again.", retry_after=1)
        if self._closed:
            raise Unavailable("The ledger is closed; please try again.", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, body)
        except sqlite3.OperationalError as error:
            message = f"The ledger cannot be read right now ({type(error).__name__}); please try again."
            raise Unavailable(message, retry_after=1) from error
        finally:
            self._waiting -= 1

    async def read_of(self, _account_id: str, body: Callable[[Transaction], T]) -> T:
        """As `read`: SQLite has no second wall."""
        return await self.read(body)

    async def report(self, body: Callable[[Transaction], T]) -> T:
        """As `read`: a long one is in nobody's way here."""
        return await self.read(body)

    def close(self) -> None:
        """Wait for running reads and close the connections."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    def _run(self, body: Callable[[Transaction], T]) -> T:
        transaction = self._transaction()
        transaction.cursor.execute("BEGIN")
        try:
            return body(transaction)
        finally:
            transaction.cursor.execute("ROLLBACK")

    def _transaction(self) -> SqliteTransaction:
        held: SqliteTransaction | None = getattr(self._own, "transaction", None)
        if held is None:
            connection = open_reader(self._path)
            self._opened.append(connection)
            held = self._own.transaction = SqliteTransaction(connection)
        return held
