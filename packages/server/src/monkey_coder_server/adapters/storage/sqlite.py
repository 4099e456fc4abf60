"""SQLite: how a connection is opened, and a transaction on it."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 16_384
CACHED_STATEMENTS = 256

_DIALECT = SQLiteDialect_pysqlite(paramstyle="named")
_COMMON = f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{CACHE_KIB};"


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection whose commits survive power loss: WAL with `synchronous=FULL`. Raises `sqlite3.Error`."""
    connection = _connect(path)
    connection.executescript(f"{_COMMON} PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read; it never waits for the writer. Raises `sqlite3.Error`."""
    connection = _connect(path)
    connection.executescript(f"{_COMMON} PRAGMA query_only = ON;")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    """Transactions are begun and ended by us alone; threads are kept apart by us."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS)


@dataclass(slots=True)
class SqliteTransaction:
    """`Transaction` on one SQLite connection."""

    connection: sqlite3.Connection
    cursor: sqlite3.Cursor = field(init=False)
    _texts: dict[Query, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cursor = self.connection.cursor()

    def change(self, query: Query, parameters: Parameters) -> int:
        """Run a statement that changes rows; how many."""
        return self.cursor.execute(self._text(query), parameters).rowcount

    def rows(self, query: Query, parameters: Parameters) -> list[Row]:
        """Run a statement and take all its rows, so that it is finished before the commit."""
        return self.cursor.execute(self._text(query), parameters).fetchall()

    def row(self, query: Query, parameters: Parameters) -> Row | None:
        """The first row, if any."""
        rows = self.cursor.execute(self._text(query), parameters).fetchall()
        return rows[0] if rows else None

    def _text(self, query: Query) -> str:
        text = self._texts.get(query)
        if text is None:
            text = self._texts[query] = query.text(_DIALECT)
        return text
