"""Reads the file of a dead process; of a damaged one it saves everything that can be read.

The damaged file is moved aside as `<instance>.corrupt` and its place taken by one of sound records only, so that
neither a crash in the middle nor the damage itself can stop the next start.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Table, select

from monkey_coder_server.adapters.storage.journal import encoding, file
from monkey_coder_server.adapters.storage.journal.encoding import DamagedRecord
from monkey_coder_server.adapters.storage.journal.journal import Contents, OpenRequest, unknown_draft
from monkey_coder_server.adapters.storage.journal.names import BESIDE, Names, remove_database
from monkey_coder_server.adapters.storage.sqlite import DIALECT, SqliteTransaction
from monkey_coder_server.adapters.storage.transaction import Parameters

logger = logging.getLogger(__name__)

_Sort = Callable[["Found", Parameters], None]


class LaterLayout(Exception):
    """The file was written by a later gateway."""


@dataclass(slots=True)
class Found:
    """What was read: sound rows, and a sentence about each that was not."""

    open: list[Parameters] = field(default_factory=list)
    endings: list[Parameters] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)

    def contents(self) -> Contents:
        """What a journal remembers of them."""
        return Contents(
            {row["request_id"]: OpenRequest(row["number"], row["admitted"]) for row in self.open},
            {row["number"]: (row["request_id"], len(row["record"])) for row in self.endings},
        )


def recover(names: Names) -> Found:
    """Read a journal whose lock is held; mend its file if it is damaged.

    Raises `LaterLayout`, and `OSError` or `sqlite3.Error` when the disk cannot be read or written now.
    """
    _finish_replacing(names)
    found = _read(names.database)
    if found.damages:
        for damage in found.damages:
            logger.error("the journal of %s is damaged: %s", names.instance, damage)
        logger.error(
            "the journal of %s is kept as %s; saved of it: %d endings, %d open requests",
            names.instance,
            names.corrupt,
            len(found.endings),
            len(found.open),
        )
        _write(names.salvaged, found)
        _set_aside(names)
        _finish_replacing(names)
    return found


def _finish_replacing(names: Names) -> None:
    """Where the damaged file was moved away already, put the saved records in its place."""
    if not names.salvaged.exists():
        return
    if names.database.exists():
        remove_database(names.salvaged)
        return
    for beside in BESIDE:
        _move(Path(f"{names.database}{beside}"), Path(f"{names.corrupt}{beside}"))
    _move(names.salvaged, names.database)
    _sync(names.directory)


def _set_aside(names: Names) -> None:
    """Move the damaged file; an earlier one of that name is overwritten by nothing."""
    if names.corrupt.exists():
        _move(names.corrupt, names.corrupt.with_name(f"{names.corrupt.name}.{os.getpid()}"))
    _move(names.database, names.corrupt)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.rename(target)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, found: Found) -> None:
    """Keep sound rows in a file of their own, all on disk in the main file when this returns."""
    remove_database(path)
    with closing(file.open_file(path)) as connection:
        transaction = SqliteTransaction(connection)
        transaction.cursor.execute("BEGIN IMMEDIATE")
        transaction.change_each(file.KEEP_OPEN, found.open)
        transaction.change_each(file.KEEP_ENDING, found.endings)
        transaction.cursor.execute("COMMIT")
        transaction.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _read(path: Path) -> Found:
    """Everything sound in a file. Raises `LaterLayout`, and `sqlite3.OperationalError` when the disk fails now."""
    found = Found()
    try:
        with closing(file.open_file(path)) as connection:
            if file.version(connection) > file.VERSION:
                raise LaterLayout(path)
            _read_table(connection, file.open_requests, found, _sort_open)
            _read_table(connection, file.endings, found, _sort_ending)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        found.damages.append(f"the file cannot be opened ({error})")
    return found


def _read_table(connection: sqlite3.Connection, table: Table, found: Found, sort: _Sort) -> None:
    names = [column.name for column in table.columns]
    statement = str(select(table).order_by(table.c.number).compile(dialect=DIALECT))
    try:
        for row in connection.execute(statement):
            sort(found, dict(zip(names, row, strict=True)))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        found.damages.append(f"a page cannot be read ({error})")


def _sort_open(found: Found, row: Parameters) -> None:
    """A request whose draft alone is damaged is kept, with one that charges nobody."""
    request_id = row["request_id"]
    try:
        admitted = encoding.admitted(request_id, row["admitted"])
    except DamagedRecord as damage:
        found.damages.append(f"open request {request_id}: {damage}")
        return
    try:
        encoding.draft(request_id, row["draft"])
    except DamagedRecord as damage:
        found.damages.append(f"draft of request {request_id}: {damage}")
        row = {**row, "draft": encoding.sealed(request_id, unknown_draft(admitted))}
    found.open.append(row)


def _sort_ending(found: Found, row: Parameters) -> None:
    request_id = row["request_id"]
    try:
        encoding.resolved(request_id, row["record"])
    except DamagedRecord as damage:
        found.damages.append(f"ending of request {request_id}: {damage}")
        return
    found.endings.append(row)
