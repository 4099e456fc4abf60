"""What the verdicts of checks were worth, as sums: each delta of a process is added once, as evidence is."""

import json
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.routing_evidence import FORGOTTEN_AT_ONCE, advanced, applied_of
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.routing_store import NEWEST

_SUMS = ("answers", "passed")

verdicts = Table(
    "routing_verdicts",
    metadata,
    Column("node", Text, primary_key=True),
    Column("verifier", Text, primary_key=True),
    Column("truth", Text, primary_key=True),
    *(Column(name, Double, nullable=False) for name in _SUMS),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_routing_verdicts_changed_at", "changed_at"),
    sqlite_with_rowid=False,
)
"""`node` as in `routing_evidence`; `verifier` is a check's name, `truth` whether the answers were right or wrong."""

_WRITE = insert(verdicts)
_ADD = Query(
    _WRITE.on_conflict_do_update(
        index_elements=[verdicts.c.node, verdicts.c.verifier, verdicts.c.truth],
        set_={name: verdicts.c[name] + _WRITE.excluded[name] for name in _SUMS}
        | {"changed_at": _WRITE.excluded.changed_at},
    )
)
_COLUMNS = (verdicts.c.node, verdicts.c.verifier, verdicts.c.truth, *(verdicts.c[name] for name in _SUMS))
_NEWEST = Query(select(*_COLUMNS).order_by(verdicts.c.changed_at.desc()).limit(NEWEST))
_CHANGED = Query(select(*_COLUMNS).where(verdicts.c.changed_at >= bindparam("since")))
_OLD = Query(
    select(verdicts.c.node, verdicts.c.verifier, verdicts.c.truth)
    .where(verdicts.c.changed_at < bindparam("before"))
    .order_by(verdicts.c.changed_at)
    .limit(FORGOTTEN_AT_ONCE)
)
_DROP = Query(
    delete(verdicts).where(
        verdicts.c.node == bindparam("of"),
        verdicts.c.verifier == bindparam("by"),
        verdicts.c.truth == bindparam("held"),
        verdicts.c.changed_at < bindparam("before"),
    )
)


class SqlVerdicts:
    """`ports.routing_store.EvidenceStore` of verdicts: an arm is a check and the truth, its quality that it passed."""

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


def _row(each: Sum, now: int) -> dict[str, Any]:
    verifier, _, truth = each.arm.rpartition(" ")
    return {
        "node": json.dumps(each.node, separators=(",", ":")),
        "verifier": verifier,
        "truth": truth,
        "answers": each.tally.rows,
        "passed": each.tally.quality,
        "changed_at": now,
    }


def _changed(instance: str, since: int | None, transaction: Transaction) -> Stored:
    rows = transaction.rows(_NEWEST, {}) if since is None else transaction.rows(_CHANGED, {"since": since})
    return Stored([_sum(row) for row in rows], applied_of(instance, transaction))


def _sum(row: Row) -> Sum:
    node, verifier, truth, answers, passed = row
    return Sum(tuple(json.loads(node)), f"{verifier} {truth}", Tally(answers, passed))


def _forget(before: int, transaction: Transaction) -> int:
    old = transaction.rows(_OLD, {"before": before})
    for node, verifier, truth in old:
        transaction.change(_DROP, {"of": node, "by": verifier, "held": truth, "before": before})
    return len(old)
