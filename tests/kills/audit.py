"""Sets what callers were given, what our books say and what the simulators billed beside each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monkey_coder_server.domain.money import usd
from tests.kills.clients import COMPLETE, CUT, Heard
from tests.kills.gateway import Stage

REQUESTS = """
    SELECT u.request_id, u.status, u.price, u.estimated, h.charged FROM usage u JOIN holds h USING (request_id)
"""
PAID_AGAIN = """
    SELECT idempotency_key FROM holds WHERE charged > 0 AND idempotency_key IS NOT NULL
    GROUP BY idempotency_key HAVING COUNT(*) > 1
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
    """`checks` are lists, or amounts, that must be empty for money to be right; `figures` are for people."""

    checks: Mapping[str, Any]
    figures: Mapping[str, int]

    @property
    def wrong(self) -> dict[str, Any]:
        """The checks that found something."""
        return {name: found for name, found in self.checks.items() if found}


def audit(where: Stage, heard: Sequence[Heard], again: Sequence[Heard] = ()) -> Findings:
    """Read the books when all gateways have stopped, and compare. `again` was asked last, and must have its answers."""
    rows = {row.request_id: row for row in [Booked(*values) for values in where.read(REQUESTS)]}
    costs = [Cost(*values) for values in where.read(COSTS)]
    settled = Counter(name for (name,) in where.read("SELECT request_id FROM transactions WHERE kind = 'settle'"))
    [(open_holds,)] = where.read("SELECT COUNT(*) FROM holds WHERE state = 'open'")
    [(held,)] = where.read("SELECT COALESCE(SUM(held), 0) FROM wallets")
    tally = where.tally()["requests"]
    unbooked, wrong_costs, figures = _bills(costs, [entry for entry in tally if entry["cost_nanos"]])
    every = [*heard, *again]
    complete = [one for one in every if one.ended == COMPLETE]
    return Findings(
        checks={
            "delivered, not paid": [
                one.request_id for one in every if _must_be_paid(one) and not _paid(rows.get(one.request_id))
            ],
            "priced otherwise than told": [one.request_id for one in complete if not _as_told(rows, one)],
            "charged twice": [name for name, count in settled.items() if count > 1],
            "paid twice under one id": [name for (name,) in where.read(PAID_AGAIN)],
            "asked again, not answered": [
                f"{one.number} {one.ended} {one.error} {one.said}" for one in again if one.ended != COMPLETE
            ],
            "open holds": open_holds,
            "nano-dollars still held": int(held),
            "bills not in our books": unbooked,
            "costs that are no bill": wrong_costs,
        },
        figures={
            "requests": len(every),
            "answers that had begun": sum(one.begun for one in every),
            "of them cut by a death": sum(one.begun and one.ended == CUT for one in every),
            "complete": len(complete),
            "of them repeated answers": sum(one.replayed for one in complete),
            "requests in our books": len(rows),
            "of them estimated": sum(row.estimated for row in rows.values()),
            **figures,
        },
    )


def _must_be_paid(one: Heard) -> bool:
    """Whether something was delivered: but what bears an id of its own is paid for when it is complete, once."""
    return one.begun and (one.ended == COMPLETE or not one.named) and not one.replayed


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
    theirs = sum(bills[cost.provider_request_id]["cost_nanos"] for cost in exact if cost.provider_request_id in bills)
    figures = {
        "bills of the simulators": len(billed),
        "of them exact in our books": len(exact),
        "of them estimated, by name": sum(cost.estimated for cost in named.values()),
        "of them estimated otherwise": len(left) - missing.total(),
        "of them in no book": missing.total(),
        "nano-dollars of the exact, simulators": theirs,
        "nano-dollars of the exact, our books": sum(cost.cost for cost in exact),
        "nano-dollars of the others, simulators": sum(entry["cost_nanos"] for entry in billed) - theirs,
        "nano-dollars of the others, our books": sum(cost.cost for cost in costs if cost.estimated),
    }
    return unbooked, wrong, figures


def _agrees(cost: Cost, bills: Mapping[str, Mapping[str, Any]]) -> bool:
    bill = bills.get(cost.provider_request_id or "")
    return bill is not None and bill["cost_nanos"] == cost.cost
