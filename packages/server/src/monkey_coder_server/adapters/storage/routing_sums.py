"""Sums that processes add to by deltas: each delta of a process is added once, in the transaction that counts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.routing_store import NEWEST

FORGOTTEN_AT_ONCE = 500

learners = Table(
    "routing_learners",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_routing_learners_changed_at", "changed_at"),
    sqlite_with_rowid=False,
)
"""Up to which of its deltas each process's are in the sums, of evidence or of verdicts."""

_COUNT = insert(learners)
_ADVANCE = Query(
    _COUNT.on_conflict_do_update(
        index_elements=[learners.c.instance],
        set_={"sequence": _COUNT.excluded.sequence, "changed_at": _COUNT.excluded.changed_at},
        where=learners.c.sequence < _COUNT.excluded.sequence,
    )
)
_APPLIED = Query(select(learners.c.sequence).where(learners.c.instance == bindparam("instance")))
_FORGET_LEARNERS = Query(delete(learners).where(learners.c.changed_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class Kind:
    """One table of sums: how a row is added to what is there, and how a sum becomes a row and is read again."""

    row_of: Callable[[Sum], dict[str, Any]]
    """All columns but `changed_at`."""
    read: Callable[[Row], Sum]
    add: Query
    newest: Query
    changed: Query
    old: Query
    drop: Query
    keys: tuple[str, ...]
    """By what `drop` calls the columns of the primary key."""


def kind(
    table: Table,
    add: Query,
    columns: Sequence[Column[Any]],
    *,
    row_of: Callable[[Sum], dict[str, Any]],
    read: Callable[[Row], Sum],
) -> Kind:
    """The sums of a table with `changed_at`; `read` gets the `columns` of a row."""
    changed_at, chosen, identity = table.c.changed_at, select(*columns), list(table.primary_key.columns)
    before = changed_at < bindparam("before")
    keys = tuple(f"of_{column.name}" for column in identity)
    those = [column == bindparam(key) for column, key in zip(identity, keys, strict=True)]
    return Kind(
        row_of=row_of,
        read=read,
        add=add,
        newest=Query(chosen.order_by(changed_at.desc()).limit(NEWEST)),
        changed=Query(chosen.where(changed_at >= bindparam("since"))),
        old=Query(select(*identity).where(before).order_by(changed_at).limit(FORGOTTEN_AT_ONCE)),
        drop=Query(delete(table).where(*those, before)),
        keys=keys,
    )


def adding(table: Table, sums: Sequence[str]) -> Query:
    """Adds a row's `sums` to those that are there under its key."""
    write = insert(table)
    return Query(
        write.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: table.c[name] + write.excluded[name] for name in sums}
            | {"changed_at": write.excluded.changed_at},
        )
    )


class SqlSums:
    """`ports.routing_store.EvidenceStore`."""

    def __init__(self, kind: Kind, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._kind = kind
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def add(self, instance: str, delta: Delta) -> None:
        """Add a delta to the sums, durable on return; one that is in them already changes nothing."""
        await self._writer.perform(partial(self._add, instance, delta, to_micros(self._clock.now())))

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        """The sums that changed since then, or the newest of all."""
        moment = None if since is None else to_micros(since)
        return await self._readers.read(partial(self._read, instance, moment))

    async def forget(self, before: datetime) -> int:
        """Drop some of the sums nobody added to since; how many."""
        return await self._writer.perform(partial(self._forget, to_micros(before)))

    def _add(self, instance: str, delta: Delta, now: int, transaction: Transaction) -> None:
        counted = {"instance": instance, "sequence": delta.sequence, "changed_at": now}
        if transaction.change(_ADVANCE, counted):
            rows = [self._kind.row_of(each) | {"changed_at": now} for each in delta.sums]
            transaction.change_each(self._kind.add, rows)

    def _read(self, instance: str, since: int | None, transaction: Transaction) -> Stored:
        rows = (
            transaction.rows(self._kind.newest, {})
            if since is None
            else transaction.rows(self._kind.changed, {"since": since})
        )
        applied = transaction.row(_APPLIED, {"instance": instance})
        return Stored([self._kind.read(row) for row in rows], 0 if applied is None else int(applied[0]))

    def _forget(self, before: int, transaction: Transaction) -> int:
        old = transaction.rows(self._kind.old, {"before": before})
        for row in old:
            transaction.change(self._kind.drop, {**dict(zip(self._kind.keys, row, strict=True)), "before": before})
        transaction.change(_FORGET_LEARNERS, {"before": before})
        return len(old)
