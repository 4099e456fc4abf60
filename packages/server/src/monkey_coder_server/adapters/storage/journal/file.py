"""The file of a journal: two tables of short-lived rows, numbered by the process that writes them.

Nobody else opens it while that process lives, so it is locked exclusively, which spares the shared memory file and a
lock at every transaction. Deleted rows' pages are used again: the file is as large as the most that ever waited.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable

from monkey_coder_server.adapters.storage.sqlite import CACHED_STATEMENTS, DIALECT
from monkey_coder_server.adapters.storage.transaction import Query

VERSION = 2
"""Kept in the file (`user_version`); a file of a later version is left for the gateway that can read it.

With the second one `slots` came beside the file, which the first one's readers would leave behind.
"""
CHECKPOINT_PAGES = 1_000
LARGEST_LOG_BYTES = 16 * 1024 * 1024
CACHE_KIB = 2_048
"""Pages it keeps: what is open and what waits for the books is mostly fewer, and the kernel has the others."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""What SQLite says of a damaged file; SQLITE_ERROR when a table is missing."""

metadata = MetaData()

open_requests = Table(
    "open_requests",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("admitted", LargeBinary, nullable=False),
    Column("draft", LargeBinary, nullable=False),
)
endings = Table(
    "endings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
)

_NUMBER: BindParameter[int] = bindparam("number")
KEEP_OPEN = Query(insert(open_requests).prefix_with("OR REPLACE"))
DROP_OPEN = Query(delete(open_requests).where(open_requests.c.number == _NUMBER))
READ_OPEN = Query(select(open_requests).order_by(open_requests.c.number))
KEEP_ENDING = Query(insert(endings).prefix_with("OR REPLACE"))
DROP_ENDING = Query(delete(endings).where(endings.c.number == _NUMBER))
READ_ENDINGS = Query(
    select(endings).where(endings.c.number > bindparam("after")).order_by(endings.c.number).limit(bindparam("most"))
)


def open_file(path: Path, *, relaxed: bool = False) -> sqlite3.Connection:
    """Open or make it, for one process alone. Raises `sqlite3.Error`.

    A commit survives power loss, or with `relaxed` only the death of the process: the last moments before a power
    loss may be gone then.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS
    )
    try:
        connection.executescript(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
            f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}; PRAGMA cache_spill = OFF; "
            f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA journal_size_limit = {LARGEST_LOG_BYTES}; "
            f"PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 0;"
        )
        if version(connection) == 0:
            _make(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def rows(connection: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """All rows of a table, text as bytes. Raises `sqlite3.DatabaseError` at a page that cannot be read."""
    connection.text_factory = bytes
    yield from connection.execute(str(select(table).order_by(table.c.number).compile(dialect=DIALECT)))


def version(connection: sqlite3.Connection) -> int:
    """The layout of an open file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=DIALECT)))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
