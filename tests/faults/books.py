"""Callers, our books and the simulators' bills beside each other, from one look to the next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from monkey_coder_server.domain.money import usd
from tests.faults.asking import Asked
from tests.kills.gateway import Stage

CHARGES = "SELECT request_id, charged FROM holds WHERE charged > 0"
COSTS = "SELECT provider_request_id, cost FROM provider_costs WHERE cost > 0"


class Books:
    """What is new in them each time; nothing may run meanwhile."""

    def __init__(self, where: Stage) -> None:
        self._where = where
        self._billed = 0
        self._audited = 0
        self._charges: Counter[tuple[Any, ...]] = Counter()
        self._costs: Counter[tuple[Any, ...]] = Counter()

    def bills(self) -> Sequence[Mapping[str, Any]]:
        """The simulators' calls since this was asked before."""
        bills: Sequence[Mapping[str, Any]] = self._where.tally()["requests"]
        new, self._billed = bills[self._billed :], len(bills)
        return new

    def apart(self, asked: Sequence[Asked]) -> Mapping[str, Any]:
        """Since this was asked before: charges that are not what callers were told, costs that are no bill; else empty.

        The gateway is stopped: all it owes the books is in them.
        """
        bills = self._where.tally()["requests"]
        charges, costs = Counter(self._where.read(CHARGES)), Counter(self._where.read(COSTS))
        found = _apart(asked, bills[self._audited :], dict(charges - self._charges), costs - self._costs)
        self._audited, self._charges, self._costs = len(bills), charges, costs
        return found


def _apart(
    asked: Sequence[Asked],
    bills: Sequence[Mapping[str, Any]],
    charged: Mapping[tuple[Any, ...], int],
    costs: Counter[tuple[Any, ...]],
) -> Mapping[str, Any]:
    charges = dict(charged.keys())
    told = {one.request_id: one.cost_usd for one in asked if not one.error}
    known = {name for name, _ in costs}
    billed = Counter(
        (bill["answer_id"] if bill["answer_id"] in known else bill["request_id"], bill["cost_nanos"])
        for bill in bills
        if bill["cost_nanos"]
    )
    checks = {
        "charged otherwise than told": [name for name in told if told[name] != usd(charges.get(name, 0))],
        "charged, but not served": sorted(charges.keys() - told.keys()),
        "costs that are no bill": sorted(map(str, costs - billed)),
        "bills not in our books": sorted(map(str, billed - costs)),
    }
    return {name: found for name, found in checks.items() if found}
