"""What processes saw of the arms, as sums."""

import json
from typing import Any

from sqlalchemy import BigInteger, Case, Column, Double, Index, Table, Text, case
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.routing_sums import kind
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row
from monkey_coder_server.domain.bandit.checkpoint import Sum
from monkey_coder_server.domain.bandit.evidence import Tally

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
_WRITE = insert(evidence)


def _added(name: str) -> Case[Any]:
    """A sum with more of the same era, or of that which is later."""
    kept, more = evidence.c[name], _WRITE.excluded[name]
    ours, theirs = evidence.c.era, _WRITE.excluded.era
    return case((theirs > ours, more), (theirs == ours, kept + more), else_=kept)


def _later() -> Case[Any]:
    ours, theirs = evidence.c.era, _WRITE.excluded.era
    return case((theirs > ours, theirs), else_=ours)


def _row(each: Sum) -> dict[str, Any]:
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
        "era": each.era,
    }


def _sum(row: Row) -> Sum:
    node, arm, *figures, era = row
    return Sum(tuple(json.loads(node)), arm, Tally(*figures), era)


EVIDENCE = kind(
    evidence,
    Query(
        _WRITE.on_conflict_do_update(
            index_elements=[evidence.c.node, evidence.c.arm],
            set_={name: _added(name) for name in _SUMS} | {"changed_at": _WRITE.excluded.changed_at, "era": _later()},
        )
    ),
    (evidence.c.node, evidence.c.arm, *(evidence.c[name] for name in _SUMS), evidence.c.era),
    row_of=_row,
    read=_sum,
)
