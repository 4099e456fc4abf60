"""The log of routing as a table: a row a decision with its outcome, candidates as JSON."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from monkey_coder_server.ports.exports import Column, Kind, TableWriter, Value
from monkey_coder_server.ports.routing_store import LoggedDecision

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = {
    "at": Kind.TIME,
    "request_id": Kind.TEXT,
    "account_id": Kind.TEXT,
    "kind": Kind.TEXT,
    "language": Kind.TEXT,
    "size": Kind.TEXT,
    "mode": Kind.TEXT,
    "arm": Kind.TEXT,
    "propensity": Kind.TEXT,
    "explored": Kind.FLAG,
    "served": Kind.TEXT,
    "cost_usd": Kind.MONEY,
    "latency_ms": Kind.COUNT,
    "quality": Kind.TEXT,
    "weight": Kind.TEXT,
    "signal": Kind.TEXT,
    "candidates": Kind.TEXT,
}
"""Probabilities and qualities are decimal text, exact in every format."""


async def pieces(pages: AsyncIterator[Sequence[LoggedDecision]], writer: TableWriter) -> AsyncIterator[bytes]:
    """The file, a page of rows at a time."""
    yield writer.begin([Column(name, kind) for name, kind in _COLUMNS.items()])
    async for page in pages:
        yield writer.rows([_row(logged) for logged in page])
    yield writer.end()


def _row(logged: LoggedDecision) -> Sequence[Value]:
    decision, outcome = logged.decision, logged.outcome
    return (
        (decision.at - _EPOCH) // timedelta(microseconds=1),
        decision.request_id,
        decision.account_id,
        decision.kind,
        decision.language,
        decision.size,
        decision.mode,
        decision.arm,
        repr(decision.propensity),
        decision.explored,
        decision.served,
        decision.cost,
        decision.latency_ms,
        None if outcome is None else repr(outcome.quality),
        None if outcome is None else repr(outcome.weight),
        None if outcome is None else outcome.signal,
        msgspec.json.encode(decision.candidates).decode(),
    )
