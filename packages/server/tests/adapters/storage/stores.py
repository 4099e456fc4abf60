"""Stores for tests of the storage itself: from a migrated template, and on a connection that fails on demand."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.ledger import SqlLedger
from monkey_coder_server.adapters.storage.limits import SqlLimits
from monkey_coder_server.adapters.storage.operations import CAPACITY
from monkey_coder_server.adapters.storage.promotions import SqlPromotions
from monkey_coder_server.adapters.storage.readers import Readers
from monkey_coder_server.adapters.storage.sql_books import SqlBooks
from monkey_coder_server.adapters.storage.sqlite import open_writer
from monkey_coder_server.adapters.storage.writer import Writer
from packages.server.tests.contract.booking import ACCOUNT, StillClock


@dataclass(slots=True)
class Script:
    """What the connection does wrong: a statement that begins with `fails_on` raises; COMMIT waits for `gate`."""

    fails_on: str = ""
    gate: threading.Event = field(default_factory=threading.Event)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def note(self, statement: str) -> None:
        """Do what is wrong with a statement."""
        self.seen.append(statement)
        if statement == "COMMIT":
            self.gate.wait()
        if self.fails_on and statement.startswith(self.fails_on):
            raise sqlite3.OperationalError("database or disk is full")


class ScriptedCursor:
    def __init__(self, cursor: sqlite3.Cursor, script: Script) -> None:
        self._cursor = cursor
        self._script = script

    def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        self._script.note(statement)
        return self._cursor.execute(statement, parameters)

    def executemany(self, statement: str, several: Iterable[Any]) -> sqlite3.Cursor:
        self._script.note(statement)
        return self._cursor.executemany(statement, several)

    def close(self) -> None:
        self._cursor.close()


class ScriptedConnection:
    """As much of a connection as the writer uses."""

    def __init__(self, connection: sqlite3.Connection, script: Script) -> None:
        self._connection = connection
        self._script = script

    def cursor(self) -> ScriptedCursor:
        return ScriptedCursor(self._connection.cursor(), self._script)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def commit(self) -> None:
        self._script.note("COMMIT")
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Books:
    """A ledger with what is under it."""

    ledger: SqlLedger
    limits: SqlLimits
    promotions: SqlPromotions
    books: SqlBooks
    writer: Writer
    path: Path
    script: Script
    clock: StillClock


@asynccontextmanager
async def open_books(
    template: Path, path: Path, signer: Ed25519Signer, *, capacity: int = CAPACITY
) -> AsyncIterator[Books]:
    """A ledger on a copy of the template, with a wallet of 10,000 nano-dollars, on a scripted connection."""
    shutil.copy(template, path)
    script, clock = Script(), StillClock()
    writer = Writer(partial(_connect, path, script), clock=clock, capacity=capacity)
    await writer.start()
    readers = Readers(path)
    ledger = SqlLedger(writer, readers, signer=signer, clock=clock)
    books = SqlBooks(writer, readers, signer=signer, clock=clock)
    await ledger.open_wallet(ACCOUNT)
    await ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    try:
        limits, promotions = SqlLimits(writer, readers), SqlPromotions(writer, readers)
        yield Books(ledger, limits, promotions, books, writer, path, script, clock)
    finally:
        script.gate.set()
        await writer.close()
        readers.close()


class Player(Protocol):
    """Random steps made real on a ledger, and what was seen of them."""

    async def do(self, what: str, amount: int, which: int) -> None: ...


PlayerT = TypeVar("PlayerT", bound=Player)


@asynccontextmanager
async def played(
    world: Callable[[Books], PlayerT], steps: Iterable[tuple[str, int, int]], template: Path, signer: Ed25519Signer
) -> AsyncIterator[PlayerT]:
    """A world on a ledger of its own once every step is done."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_books(template, Path(directory) / "books.db", signer) as books:
            playing = world(books)
            for step in steps:
                await playing.do(*step)
            yield playing


def _connect(path: Path, script: Script) -> sqlite3.Connection:
    return cast("sqlite3.Connection", ScriptedConnection(open_writer(path), script))
