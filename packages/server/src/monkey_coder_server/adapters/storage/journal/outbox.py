"""What the journals of a directory still have for the books, looked at from outside: changes nothing in them."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monkey_coder_server.adapters.storage.journal import encoding
from monkey_coder_server.adapters.storage.journal.encoding import DamagedRecord
from monkey_coder_server.adapters.storage.journal.names import Names, instances, take
from monkey_coder_server.adapters.storage.journal.slots import Ended, held_in
from monkey_coder_server.adapters.storage.moments import from_micros


@dataclass(frozen=True, slots=True)
class Outbox:
    """One journal. `oldest`: since when something in it waits for the books; None when nothing does for long.

    `alive`: a process has it, which ships what it holds; else the next gateway of this directory takes it over.
    """

    instance: str
    alive: bool
    oldest: datetime | None


def outboxes(directory: Path) -> list[Outbox]:
    """Those of a directory, oldest first; none where there is none. Blocks. Raises `OSError`."""
    return [_look(Names(directory, name)) for name in instances(directory)] if directory.exists() else []


def _look(names: Names) -> Outbox:
    lock = take(names.lock)
    if lock is None:
        return Outbox(names.instance, alive=True, oldest=_changed(names.mark))
    with lock:
        return Outbox(names.instance, alive=False, oldest=_left(names))


def _left(names: Names) -> datetime | None:
    """Since when the oldest request of a dead process waits to be ended or booked."""
    if not names.database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{names.database.as_uri()}?mode=ro", uri=True)) as connection:
            moments = [*_ended(connection), *_admitted(connection), *_in_slots(names)]
    except (sqlite3.Error, DamagedRecord):
        return _changed(names.database)  # it is salvaged when it is taken over
    return min(moments, default=None)


def _ended(connection: sqlite3.Connection) -> list[datetime]:
    rows = connection.execute("SELECT request_id, record FROM endings ORDER BY number LIMIT 1")
    return [encoding.resolved(request_id, record).ending.at for request_id, record in rows]


def _admitted(connection: sqlite3.Connection) -> list[datetime]:
    rows = connection.execute("SELECT request_id, admitted FROM open_requests ORDER BY number LIMIT 1")
    return [encoding.admitted(request_id, admitted).hold.at for request_id, admitted in rows]


def _in_slots(names: Names) -> list[datetime]:
    return [
        encoding.resolved(held.request_id, held.record).ending.at
        if isinstance(held, Ended)
        else encoding.admitted(held.request_id, held.admitted).hold.at
        for held in held_in(names.slots)
    ]


def _changed(path: Path) -> datetime | None:
    try:
        return from_micros(path.stat().st_mtime_ns // 1_000)
    except FileNotFoundError:
        return None
