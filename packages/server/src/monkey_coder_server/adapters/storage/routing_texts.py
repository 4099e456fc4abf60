"""What the marks of prompts told of arms, and what hearing them gained at each account, as sums. No text is in them."""

import json
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text

from monkey_coder_server.adapters.storage.routing_sums import adding, kind
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Row
from monkey_coder_server.domain.bandit.checkpoint import Sum
from monkey_coder_server.domain.bandit.evidence import Tally

_SUMS = ("outcomes", "surprise")

texts = Table(
    "routing_texts",
    metadata,
    Column("node", Text, primary_key=True),
    Column("arm", Text, primary_key=True),
    *(Column(name, Double, nullable=False) for name in _SUMS),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_routing_texts_changed_at", "changed_at"),
    sqlite_with_rowid=False,
)
"""`node` is `["mark", number]` of an arm, or `["account", period]`; then `arm` is an account's id."""


def _row(each: Sum) -> dict[str, Any]:
    return {
        "node": json.dumps(each.node, separators=(",", ":")),
        "arm": each.arm,
        "outcomes": each.tally.rows,
        "surprise": each.tally.quality,
    }


def _sum(row: Row) -> Sum:
    node, arm, outcomes, surprise = row
    return Sum(tuple(json.loads(node)), arm, Tally(outcomes, surprise))


TEXTS = kind(
    texts,
    adding(texts, _SUMS),
    (texts.c.node, texts.c.arm, *(texts.c[name] for name in _SUMS)),
    row_of=_row,
    read=_sum,
)
