"""Lessons of settled requests: only the newest are kept."""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.likeness import Lesson
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.lessons import KEPT

lessons = Table(
    "lessons",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, primary_key=True),
    Column("lesson", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""`lesson` is `domain.likeness.Lesson` as a JSON array: figures and hashes, nothing of what was said."""

_KEEP = Query(insert(lessons).on_conflict_do_nothing())
_NEWEST = Query(select(lessons.c.lesson).order_by(lessons.c.at.desc(), lessons.c.request_id.desc()).limit(KEPT))
_OLDEST_KEPT = Query(select(lessons.c.at).order_by(lessons.c.at.desc()).limit(1).offset(KEPT - 1))
_FORGET = Query(delete(lessons).where(lessons.c.at < bindparam("oldest")))


class SqlLessons:
    """`ports.lessons.Lessons`."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def keep(self, lessons: Mapping[str, Lesson]) -> None:
        """Store lessons, and forget the oldest; durable on return."""
        await self._writer.perform(partial(_keep, lessons, to_micros(self._clock.now())))

    async def newest(self) -> Sequence[Lesson]:
        """The lessons to start from, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_NEWEST, {}))
        return [lesson for (body,) in reversed(rows) if (lesson := _read(body)) is not None]


def _keep(lessons: Mapping[str, Lesson], now: int, transaction: Transaction) -> None:
    rows = [
        {"at": now, "request_id": request_id, "lesson": msgspec.json.encode(lesson)}
        for request_id, lesson in lessons.items()
    ]
    transaction.change_each(_KEEP, rows)
    oldest = transaction.row(_OLDEST_KEPT, {})
    if oldest is not None:
        transaction.change(_FORGET, {"oldest": oldest[0]})


def _read(body: bytes) -> Lesson | None:
    try:
        return msgspec.json.decode(body, type=Lesson)
    except msgspec.ValidationError:
        return None
