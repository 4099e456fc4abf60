"""Reads the file of a dead process; of a damaged one it saves everything that can be read.

The damaged file is moved aside as `<instance>.corrupt` and its place taken by one of sound records only, so that
neither a crash in the middle nor the damage itself can stop the next start. What is found on bare pages may be a record
that was forgotten since: booking it again changes nothing, for the books know its request.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from monkey_coder_server.adapters.storage.journal import file, pages, slots
from monkey_coder_server.adapters.storage.journal.names import BESIDE, Names, remove_database
from monkey_coder_server.adapters.storage.journal.sorting import Found
from monkey_coder_server.adapters.storage.sqlite import PRIMARY_CODE, SqliteTransaction

logger = logging.getLogger(__name__)


class LaterLayout(Exception):
    """The file was written by a later gateway."""


def recover(names: Names) -> Found:
    """Read a journal whose lock is held; mend its file if it is damaged.

    Raises `LaterLayout`, and `OSError` or `sqlite3.Error` when the disk cannot be read or written now.
    """
    if names.salvaged.exists():
        _replace(names)
    log = _bytes(_beside(names.database, "-wal"))
    found, behind = _read(names.database, log)
    if found.damages or behind:
        database = _bytes(names.database)
        found.add_missing(pages.rows(database, log), behind)
    if found.damages:
        _report(names, found)
        _write(names, found, log)
        _replace(names)
    _give_rows(names, found)
    return found


def _give_rows(names: Names, found: Found) -> None:
    """What is in slots alone is kept like the rest; then nobody needs them any more, but people one that is damaged."""
    added = found.add_held(slots.held_in(names.slots))
    if added.open or added.endings:
        with closing(file.open_file(names.database)) as connection:
            _keep(connection, added)
    if added.damages:
        for damage in added.damages:
            logger.error("a slot of the journal of %s is damaged: %s", names.instance, damage)
        names.slots.rename(_beside(names.slots, names.corrupt.suffix))
    names.slots.unlink(missing_ok=True)


def _keep(connection: sqlite3.Connection, found: Found) -> None:
    """Write rows, durable on return. Raises `sqlite3.Error`."""
    transaction = SqliteTransaction(connection)
    transaction.cursor.execute("BEGIN IMMEDIATE")
    transaction.change_each(file.KEEP_OPEN, list(found.open.values()))
    transaction.change_each(file.KEEP_ENDING, list(found.endings.values()))
    transaction.cursor.execute("COMMIT")


def _read(path: Path, log: bytes) -> tuple[Found, int]:
    """What SQLite finds sound, and how many transactions it does not see at the end of the log.

    Raises `LaterLayout`, and `sqlite3.OperationalError` when the disk fails now.
    """
    found = Found()
    behind = 0
    try:
        with closing(file.open_file(path)) as connection:
            if file.version(connection) > file.VERSION:
                raise LaterLayout(path)
            readable = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
            behind = pages.commits_after(log, max(0, readable))
            for table, sort in ((file.open_requests, found.sort_open), (file.endings, found.sort_ending)):
                for number, *values in file.rows(connection, table):
                    sort(number, values)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE not in file.DAMAGED:
            raise
        found.damages.append(f"SQLite cannot read it ({error})")
    return found, behind


def _report(names: Names, found: Found) -> None:
    for damage in found.damages:
        logger.error("the journal of %s is damaged: %s", names.instance, damage)
    saved = len(found.endings), len(found.open)
    logger.error(
        "the journal of %s is kept as %s; saved of it: %d endings, %d open requests",
        names.instance,
        names.corrupt,
        *saved,
    )


def _write(names: Names, found: Found, log: bytes) -> None:
    """Keep sound rows in a file of their own; once it bears its name, all of it is on disk."""
    if log:
        _beside(names.corrupt, "-wal").write_bytes(log)
    remove_database(names.salvaging)
    with closing(file.open_file(names.salvaging)) as connection:
        _keep(connection, found)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    names.salvaging.rename(names.salvaged)
    names.sync()


def _replace(names: Names) -> None:
    """Put the saved records in the place of the damaged file, which is moved away; one of an earlier time is kept."""
    if names.database.exists():
        if names.corrupt.exists():
            names.corrupt.rename(names.corrupt.with_name(f"{names.corrupt.name}.{names.corrupt.stat().st_mtime_ns}"))
        names.database.rename(names.corrupt)
    for beside in BESIDE:
        _beside(names.database, beside).unlink(missing_ok=True)
    names.salvaged.rename(names.database)
    names.sync()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
