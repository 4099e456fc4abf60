"""Sets what callers were given, what our books say and what the simulators billed beside each other."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from monkey_coder_server.domain.money import usd
from tests.kills.clients import COMPLETE, CUT, Heard

REQUESTS = """
    SELECT u.request_id, u.status, u.price, u.estimated, h.charged FROM usage u JOIN holds h USING (request_id)
"""
COSTS = "SELECT provider, request_id, provider_request_id, cost, estimated FROM provider_costs"


class Booked(NamedTuple):
    """A request in our books. Nano-dollars."""

    request_id: str
    status: str
    price: int
    estimated: bool
    charged: int


class Cost(NamedTuple):
    """What a provider bills us by our books; an estimate says so. Nano-dollars."""

    provider: str
    request_id: str
    provider_request_id: str | None
    cost: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """`wrong` is empty when money was right; `figures` are for people."""

    wrong: Mapping[str, Any]
    figures: Mapping[str, int]


def audit(data: Path, heard: Sequence[Heard], tally: Mapping[str, Any]) -> Findings:
    """Read the stopped gateway's books and compare."""
    (path,) = data.glob("*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
        rows = [Booked(*values) for values in books.execute(REQUESTS)]
        costs = [Cost(*values) for values in books.execute(COSTS)]
        settled = Counter(
            name for (name,) in books.execute("SELECT request_id FROM transactions WHERE kind = 'settle'")
        )
        (open_holds,) = books.execute("SELECT COUNT(*) FROM holds WHERE state = 'open'").fetchone()
        (held,) = books.execute("SELECT IFNULL(SUM(held), 0) FROM wallets").fetchone()
    by_request = {row.request_id: row for row in rows}
    unbooked, wrong_costs, figures = _bills(costs, [entry for entry in tally["requests"] if entry["cost_nanos"]])
    complete = [one for one in heard if one.ended == COMPLETE]
    wrong = {
        "unbilled": [
            one.request_id for one in heard if _must_be_paid(one) and not _paid(by_request.get(one.request_id))
        ],
        "priced otherwise than told": [one.request_id for one in complete if not _as_told(by_request, one)],
        "charged twice": [name for name, count in settled.items() if count > 1],
        "open holds": open_holds,
        "nano-dollars still held": held,
        "bills not in our books": unbooked,
        "costs that are no bill": wrong_costs,
    }
    return Findings(
        wrong={name: found for name, found in wrong.items() if found},
        figures={
            "requests": len(heard),
            "answers that had begun": sum(1 for one in heard if one.text),
            "of them cut by a death": sum(1 for one in heard if one.text and one.ended == CUT),
            "complete": len(complete),
            "requests in our books": len(rows),
            "of them estimated": sum(row.estimated for row in rows),
            **figures,
        },
    )


def _must_be_paid(one: Heard) -> bool:
    """Whether something was delivered: but what bears an id of its own is paid for when it is complete, once."""
    return bool(one.text) and (one.ended == COMPLETE or not one.named) and not one.replayed


def _paid(row: Booked | None) -> bool:
    return row is not None and row.status == "served" and row.charged > 0


def _as_told(rows: Mapping[str, Booked], one: Heard) -> bool:
    """Whether a complete answer cost what its last event said."""
    row = rows.get(one.request_id)
    return row is not None and usd(row.charged) == one.cost_usd


def _bills(costs: Sequence[Cost], billed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str], dict[str, int]]:
    """Bills nothing in our books stands for, exact costs that are no bill's or not its amount, and the sums.

    A cost that says the provider's name of the request is that bill's. The others are estimates of requests whose
    process died before it knew the name: there must be as many for each provider as bills are left, because a call's
    intent is on the disk before its provider is called.
    """
    bills = {name: entry for entry in billed for name in (entry["request_id"], entry["answer_id"]) if name}
    named = {cost.provider_request_id: cost for cost in costs if cost.provider_request_id in bills}
    exact = [cost for cost in costs if not cost.estimated]
    wrong = [cost.request_id for cost in exact if not _agrees(cost, bills)]
    left = [entry for entry in billed if not named.keys() & {entry["request_id"], entry["answer_id"]}]
    spare = Counter(cost.provider for cost in costs if cost.provider_request_id not in bills)
    missing = Counter(entry["provider"] for entry in left) - spare
    unbooked = [f"{name}: {count}" for name, count in missing.items()]
    doubled = Counter(cost.provider_request_id for cost in costs if cost.provider_request_id)
    wrong += [f"{name} twice" for name, count in doubled.items() if count > 1]
    figures = {
        "bills of the simulators": len(billed),
        "of them exact in our books": len(exact),
        "of them estimated, by name": sum(cost.estimated for cost in named.values()),
        "of them estimated otherwise": len(left) - missing.total(),
        "of them in no book": missing.total(),
        "the simulators' nano-dollars": sum(entry["cost_nanos"] for entry in billed),
        "ours, exact": sum(cost.cost for cost in exact),
        "ours, estimated": sum(cost.cost for cost in costs if cost.estimated),
    }
    return unbooked, wrong, figures


def _agrees(cost: Cost, bills: Mapping[str, Mapping[str, Any]]) -> bool:
    bill = bills.get(cost.provider_request_id or "")
    return bill is not None and bill["cost_nanos"] == cost.cost
