"""What processes saw of the arms, as sums: each delta of a process is added once, in the transaction that counts it."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Case, Column, Double, Index, Table, Text, bindparam, case, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.routing_store import NEWEST

FORGOTTEN_AT_ONCE = 500
_SUMS = ("outcomes", "quality", "quality_squared", "recency", "recency_squared", "product")

evidence = Table(
    "routing_evidence",
    metadata,
    Column("node", Text, primary_key=True),
    Column("arm", Text, primary_key=True),
    *(Column(name, Double, nullable=False) for name in _SUMS),
    Column("changed_at", BigInteger, nullable=False),
    Column("era", BigInteger, nullable=False, server_default="0"),
    Index("ix_routing_evidence_changed_at", "changed_at"),
    sqlite_with_rowid=False,
)
"""`node` is a kind of work as a JSON array of names of classes and an account's id.

Sums of a later `era` take the place of earlier ones.
"""
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

_WRITE, _COUNT = insert(evidence), insert(learners)


def _added(name: str) -> Case[Any]:
    """A sum with more of the same era, or of that which is later."""
    kept, more = evidence.c[name], _WRITE.excluded[name]
    ours, theirs = evidence.c.era, _WRITE.excluded.era
    return case((theirs > ours, more), (theirs == ours, kept + more), else_=kept)


def _later() -> Case[Any]:
    ours, theirs = evidence.c.era, _WRITE.excluded.era
    return case((theirs > ours, theirs), else_=ours)


_ADD = Query(
    _WRITE.on_conflict_do_update(
        index_elements=[evidence.c.node, evidence.c.arm],
        set_={name: _added(name) for name in _SUMS} | {"changed_at": _WRITE.excluded.changed_at, "era": _later()},
    )
)
_ADVANCE = Query(
    _COUNT.on_conflict_do_update(
        index_elements=[learners.c.instance],
        set_={"sequence": _COUNT.excluded.sequence, "changed_at": _COUNT.excluded.changed_at},
        where=learners.c.sequence < _COUNT.excluded.sequence,
    )
)
_APPLIED = Query(select(learners.c.sequence).where(learners.c.instance == bindparam("instance")))
_COLUMNS = (evidence.c.node, evidence.c.arm, *(evidence.c[name] for name in _SUMS), evidence.c.era)
_NEWEST = Query(select(*_COLUMNS).order_by(evidence.c.changed_at.desc()).limit(NEWEST))
_CHANGED = Query(select(*_COLUMNS).where(evidence.c.changed_at >= bindparam("since")))
_OLD = Query(
    select(evidence.c.node, evidence.c.arm)
    .where(evidence.c.changed_at < bindparam("before"))
    .order_by(evidence.c.changed_at)
    .limit(FORGOTTEN_AT_ONCE)
)
_DROP = Query(
    delete(evidence).where(
        evidence.c.node == bindparam("of"),
        evidence.c.arm == bindparam("by"),
        evidence.c.changed_at < bindparam("before"),
    )
)
_FORGET_LEARNERS = Query(delete(learners).where(learners.c.changed_at < bindparam("before")))


class SqlEvidence:
    """`ports.routing_store.EvidenceStore`."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def add(self, instance: str, delta: Delta) -> None:
        """Add a delta to the sums, durable on return; one that is in them already changes nothing."""
        await self._writer.perform(partial(_add, instance, delta, to_micros(self._clock.now())))

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        """The sums that changed since then, or the newest of all."""
        moment = None if since is None else to_micros(since)
        return await self._readers.read(partial(_changed, instance, moment))

    async def forget(self, before: datetime) -> int:
        """Drop some of the sums nobody added to since; how many."""
        return await self._writer.perform(partial(_forget, to_micros(before)))


def _add(instance: str, delta: Delta, now: int, transaction: Transaction) -> None:
    if advanced(instance, delta.sequence, now, transaction):
        transaction.change_each(_ADD, [_row(each, now) for each in delta.sums])


def advanced(instance: str, sequence: int, now: int, transaction: Transaction) -> bool:
    """Note that a process's deltas up to this one are in its sums; False where they were before."""
    counted = {"instance": instance, "sequence": sequence, "changed_at": now}
    return bool(transaction.change(_ADVANCE, counted))


def applied_of(instance: str, transaction: Transaction) -> int:
    """Up to which of its deltas a process's are in its sums; 0 for none."""
    found = transaction.row(_APPLIED, {"instance": instance})
    return 0 if found is None else int(found[0])


def _row(each: Sum, now: int) -> dict[str, Any]:
    tally = each.tally
    return {
        "node": json.dumps(each.node, separators=(",", ":")),
        "arm": each.arm,
        "outcomes": tally.rows,
        "quality": tally.quality,
        "quality_squared": tally.quality_squared,
        "recency": tally.recency,
        "recency_squared": tally.recency_squared,
        "product": tally.product,
        "changed_at": now,
        "era": each.era,
    }


def _changed(instance: str, since: int | None, transaction: Transaction) -> Stored:
    rows = transaction.rows(_NEWEST, {}) if since is None else transaction.rows(_CHANGED, {"since": since})
    return Stored(_sums(rows), applied_of(instance, transaction))


def _sums(rows: Sequence[Row]) -> list[Sum]:
    return [Sum(tuple(json.loads(node)), arm, Tally(*figures), era) for node, arm, *figures, era in rows]


def _forget(before: int, transaction: Transaction) -> int:
    old = transaction.rows(_OLD, {"before": before})
    for node, arm in old:
        transaction.change(_DROP, {"of": node, "by": arm, "before": before})
    transaction.change(_FORGET_LEARNERS, {"before": before})
    return len(old)
