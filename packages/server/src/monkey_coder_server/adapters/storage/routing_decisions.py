"""The log of routing: decisions as they were made, and beside them how each turned out, which may come first."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Table, Text, bindparam, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.routing_store import LoggedDecision, RoutingDecision, RoutingOutcome, Weighed

PAGE = 500
FORGOTTEN_AT_ONCE = 500

decisions = Table(
    "routing_decisions",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("size", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("propensity", Double, nullable=False),
    Column("explored", Boolean, nullable=False),
    Column("served", Text, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("latency_ms", BigInteger, nullable=False),
    Column("candidates", Text, nullable=False),
    Index("ix_routing_decisions_at", "at", "request_id"),
)
"""`candidates` is `ports.routing_store.Weighed` for each, as JSON arrays."""
outcomes = Table(
    "routing_outcomes",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("quality", Double, nullable=False),
    Column("weight", Double, nullable=False),
    Column("signal", Text, nullable=False),
    Index("ix_routing_outcomes_at", "at"),
    sqlite_with_rowid=False,
)

_DECIDE = Query(insert(decisions).on_conflict_do_nothing())
_SAY = insert(outcomes)
_TELL = Query(
    _SAY.on_conflict_do_update(
        index_elements=[outcomes.c.request_id],
        set_={name: _SAY.excluded[name] for name in ("at", "quality", "weight", "signal")},
        where=outcomes.c.weight <= _SAY.excluded.weight,
    )
)
_BETWEEN = Query(
    select(*decisions.c, outcomes.c.at, outcomes.c.quality, outcomes.c.weight, outcomes.c.signal)
    .outerjoin(outcomes, outcomes.c.request_id == decisions.c.request_id)
    .where(decisions.c.at >= bindparam("start"), decisions.c.at < bindparam("end"))
    .where(or_(decisions.c.at > bindparam("start"), decisions.c.request_id > bindparam("after")))
    .order_by(decisions.c.at, decisions.c.request_id)
    .limit(PAGE)
)


def _oldest(table: Table) -> Query:
    oldest = select(table.c.request_id).where(table.c.at < bindparam("before")).order_by(table.c.at)
    return Query(delete(table).where(table.c.request_id.in_(oldest.limit(FORGOTTEN_AT_ONCE).scalar_subquery())))


_FORGET_DECISIONS, _FORGET_OUTCOMES = _oldest(decisions), _oldest(outcomes)
_OF_DECISION = len(decisions.c)


class SqlDecisionLog:
    """`ports.routing_store.DecisionLog`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def write(self, decisions: Sequence[RoutingDecision], outcomes: Sequence[RoutingOutcome]) -> None:
        """Store them, durable on return."""
        await self._writer.perform(partial(_write, [_decision_row(each) for each in decisions], outcomes))

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[LoggedDecision]]:
        """Every decision with start ≤ t < end by time, a page at a time."""
        place, after, until = to_micros(start), "", to_micros(end)
        while page := await self._readers.read(partial(_page, place, until, after)):
            yield [_logged(row) for row in page]
            if len(page) < PAGE:
                break
            after, place = page[-1][0], page[-1][1]

    async def forget(self, before: datetime) -> int:
        """Drop some of what is older; how many rows."""
        old = {"before": to_micros(before)}
        return await self._writer.perform(
            lambda transaction: transaction.change(_FORGET_DECISIONS, old) + transaction.change(_FORGET_OUTCOMES, old)
        )


def _write(rows: Sequence[dict[str, Any]], told: Sequence[RoutingOutcome], transaction: Transaction) -> None:
    if rows:
        transaction.change_each(_DECIDE, rows)
    if told:
        known = [msgspec.structs.asdict(each) | {"at": to_micros(each.at)} for each in told]
        transaction.change_each(_TELL, sorted(known, key=lambda row: row["request_id"]))


def _decision_row(decision: RoutingDecision) -> dict[str, Any]:
    candidates = msgspec.json.encode(decision.candidates).decode()
    return msgspec.structs.asdict(decision) | {"at": to_micros(decision.at), "candidates": candidates}


def _page(start: int, end: int, after: str, transaction: Transaction) -> list[Row]:
    return transaction.rows(_BETWEEN, {"start": start, "end": end, "after": after})


def _logged(row: Row) -> LoggedDecision:
    values = dict(zip(decisions.c.keys(), row, strict=False))
    values["at"] = from_micros(values["at"])
    values["explored"] = bool(values["explored"])
    values["candidates"] = msgspec.json.decode(values["candidates"], type=tuple[Weighed, ...])
    at, *told = row[_OF_DECISION:]
    outcome = None if at is None else RoutingOutcome(row[0], from_micros(at), *told)
    return LoggedDecision(RoutingDecision(**values), outcome)
