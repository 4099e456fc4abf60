"""What the verdicts of checks were worth, as sums: an arm is a check and the truth, its quality that it passed."""

import json
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text

from monkey_coder_server.adapters.storage.routing_sums import adding, kind
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Row
from monkey_coder_server.domain.bandit.checkpoint import Sum
from monkey_coder_server.domain.bandit.evidence import Tally

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


def _row(each: Sum) -> dict[str, Any]:
    verifier, _, truth = each.arm.rpartition(" ")
    return {
        "node": json.dumps(each.node, separators=(",", ":")),
        "verifier": verifier,
        "truth": truth,
        "answers": each.tally.rows,
        "passed": each.tally.quality,
    }


def _sum(row: Row) -> Sum:
    node, verifier, truth, answers, passed = row
    return Sum(tuple(json.loads(node)), f"{verifier} {truth}", Tally(answers, passed))


VERDICTS = kind(
    verdicts,
    adding(verdicts, _SUMS),
    (verdicts.c.node, verdicts.c.verifier, verdicts.c.truth, *(verdicts.c[name] for name in _SUMS)),
    row_of=_row,
    read=_sum,
)
