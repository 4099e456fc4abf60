"""SQLite: how a connection is opened, and a transaction on it."""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from monkey_coder_server.adapters.storage.transaction import Compiled, Parameters, Query, Row

BUSY_TIMEOUT_MS = 5_000
LOOK = timedelta(milliseconds=10)
"""How long after SQLite has refused to switch a file to WAL it is asked again."""
CACHE_KIB = 2_048
"""Pages a connection keeps; the kernel has the others. With eight times as many an ending costs as much CPU time."""
CACHED_STATEMENTS = 256
TOGETHER = (64, 16)
"""Rows a statement inserts where there are so many: one turn at the interpreter's lock instead of one each."""
PRIMARY_CODE = 0xFF
"""The part of SQLite's error codes that says what kind it is."""
CHECKPOINT_PAGES = 4_000
"""About 16 MB of log between copies into the main file: the pages every request changes are copied less often."""

DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")
_COMMON = f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{CACHE_KIB};"
_WRITER = (
    "PRAGMA synchronous = FULL; PRAGMA cache_spill = OFF; PRAGMA busy_timeout = 0; "
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY;"
)


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection whose commits survive power loss: WAL with `synchronous=FULL`. Raises `sqlite3.Error`.

    Its pages go to disk at COMMIT only, what a savepoint keeps to undo never does, and once open it never waits for a
    lock by itself: see `writer`.
    """
    connection = _connect(path)
    connection.executescript(_COMMON)
    _log_ahead(connection)
    connection.executescript(_WRITER)
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. While another process uses it SQLite refuses that at once, whatever its timeout."""
    until = time.monotonic_ns() + BUSY_TIMEOUT_MS * 1_000_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic_ns() > until:
                raise
            time.sleep(LOOK.total_seconds())
        else:
            return


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read; it never waits for the writer. Raises `sqlite3.Error`."""
    connection = _connect(path)
    connection.executescript(f"{_COMMON} PRAGMA query_only = ON;")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    """Transactions are begun and ended by us alone; threads are kept apart by us."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """SQL with `?` marks, and what picks their values: binding by position costs half of binding by name.

    `together` inserts rows at once, so many as `TOGETHER` says; it is empty for what inserts none.
    """

    text: str
    together: Mapping[int, str]
    values: Callable[[Parameters], tuple[Any, ...]]


def _together(text: str) -> Mapping[int, str]:
    """The same for several rows, by their number; empty unless it inserts one that is all parameters."""
    head, _, rest = text.partition(" VALUES (")
    marks, _, tail = rest.partition(")")
    if not head.startswith("INSERT") or not marks or not set(marks) <= set("?, "):
        return {}
    return {rows: f"{head} VALUES {', '.join([f'({marks})'] * rows)}{tail}" for rows in TOGETHER}


def _picker(compiled: Compiled) -> Callable[[Parameters], tuple[Any, ...]]:
    """A function that takes named values in the order of the statement's marks."""
    names, constants = compiled.names, compiled.constants
    if not constants and len(names) > 1:
        return itemgetter(*names)
    if not constants and names:
        [name] = names
        return lambda parameters: (parameters[name],)
    return lambda parameters: tuple(constants[name] if name in constants else parameters[name] for name in names)


@dataclass(slots=True)
class SqliteTransaction:
    """`Transaction` on one SQLite connection."""

    connection: sqlite3.Connection
    cursor: sqlite3.Cursor = field(init=False)
    _prepared: dict[Query, _Prepared] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cursor = self.connection.cursor()

    def change(self, query: Query, parameters: Parameters) -> int:
        """Run a statement that changes rows; how many."""
        prepared = self._prepared.get(query) or self._prepare(query)
        return self.cursor.execute(prepared.text, prepared.values(parameters)).rowcount

    def change_each(self, query: Query, several: Sequence[Parameters]) -> int:
        """Run a statement for each of several parameters, of which no two change the same row; how many in all."""
        prepared = self._prepared.get(query) or self._prepare(query)
        return self._run_each(prepared, [*map(prepared.values, several)])

    def insert_each(self, query: Query, rows: Sequence[Row]) -> int:
        """Run an INSERT for each row, which has its values in the order of the table's columns; how many in all."""
        return self._run_each(self._prepared.get(query) or self._prepare(query), rows)

    def rows(self, query: Query, parameters: Parameters) -> list[Row]:
        """Run a statement and take all its rows, so that it is finished before the commit."""
        prepared = self._prepared.get(query) or self._prepare(query)
        return self.cursor.execute(prepared.text, prepared.values(parameters)).fetchall()

    def row(self, query: Query, parameters: Parameters) -> Row | None:
        """The first row, if any."""
        rows = self.rows(query, parameters)
        return rows[0] if rows else None

    def alone(self, what: str, *, told: bool = False) -> None:
        """Nothing to wait for, one transaction at a time writes here, and nobody to tell: processes watch the file."""

    def _run_each(self, prepared: _Prepared, rows: Sequence[Row]) -> int:
        """Run a statement for each of several rows of values, as many as fit into one at once."""
        changed = done = 0
        for size, text in prepared.together.items():
            while done + size <= len(rows):
                values = [*chain.from_iterable(rows[done : done + size])]
                changed += self.cursor.execute(text, values).rowcount
                done += size
        if done < len(rows):
            changed += self.cursor.executemany(prepared.text, rows[done:]).rowcount
        return changed

    def _prepare(self, query: Query) -> _Prepared:
        compiled = query.compiled(DIALECT)
        prepared = self._prepared[query] = _Prepared(compiled.text, _together(compiled.text), _picker(compiled))
        return prepared
