"""Sets what callers were told, our books and the simulators' bills beside each other once the gateways have stopped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monkey_coder_server.domain.money import usd
from tests.outages.asking import Asked
from tests.outages.house import House, Payer

CHARGES = "SELECT request_id, charged FROM holds WHERE charged > 0"
COSTS = "SELECT provider_request_id, cost, estimated FROM provider_costs WHERE cost > 0"
SETTLED = "SELECT request_id FROM transactions WHERE kind = 'settle'"
OF_KEY = "SELECT key_id, SUM(charged) FROM holds GROUP BY key_id"
OF_ACCOUNT = "SELECT account_id, SUM(charged) FROM holds GROUP BY account_id"
GRANTED = "SELECT account_id, SUM(amount) FROM grants GROUP BY account_id"
WALLETS = "SELECT account_id, balance, held FROM wallets"


@dataclass(frozen=True, slots=True)
class Books:
    """`wrong` is empty when they are equal; `spent` is by payer, in nano-dollars; `figures` are for people."""

    wrong: Mapping[str, Any]
    figures: Mapping[str, int]
    spent: Mapping[str, int]


def audit(house: House, asked: Sequence[Asked]) -> Books:
    """Compare everything to the nano-dollar."""
    charges = dict(house.read(CHARGES))
    costs, bills = house.read(COSTS), [bill for bill in house.tally()["requests"] if bill["cost_nanos"]]
    of_key, of_account, granted = (dict(house.read(query)) for query in (OF_KEY, OF_ACCOUNT, GRANTED))
    wallets = house.read(WALLETS)
    verdict = house.admin("ledger", "verify")
    told = {one.request_id: one.cost_usd for one in asked if one.served}
    spent = {payer.name: int(of_key.get(payer.key_id, 0)) for payer in house.payers}
    checks = {
        **{f"ledger verify, {name}": figure for name, figure in verdict["checks"].items()},
        "charged otherwise than told": {name for name in told if told[name] != usd(charges.get(name, 0))},
        "charged, but not served": charges.keys() - told.keys(),
        "charged twice": [name for name, times in Counter(house.read(SETTLED)).items() if times > 1],
        "spent more than allowed": [payer.name for payer in house.payers if _over(payer, spent)],
        "still held": [account_id for account_id, _, held in wallets if held],
        "balance is not credit less charges": [
            name
            for name, balance, _ in wallets
            if balance < 0 or balance != granted.get(name, 0) - of_account.get(name, 0)
        ],
        "costs and bills that differ": _apart(costs, bills),
    }
    figures = {
        "requests": len(asked),
        "served": len(told),
        "charged": len(charges),
        "bills of the simulators": len(bills),
        "the simulators' nano-dollars": sum(bill["cost_nanos"] for bill in bills),
        "the same in our books": sum(cost for _, cost, _ in costs),
    }
    return Books({name: found for name, found in checks.items() if found}, figures, spent)


def _over(payer: Payer, spent: Mapping[str, int]) -> bool:
    return payer.most is not None and spent[payer.name] > payer.most


def _apart(costs: Sequence[tuple[Any, ...]], bills: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Costs of ours that are no bill, estimates, and bills that no cost of ours stands for."""
    amounts = {name: bill for bill in bills for name in (bill["request_id"], bill["answer_id"]) if name}
    left = {id(bill): bill for bill in bills}
    wrong: list[Any] = []
    for name, cost, estimated in costs:
        bill = amounts.get(name)
        if bill is None or estimated or bill["cost_nanos"] != cost or left.pop(id(bill), None) is None:
            wrong.append(name)
    return wrong + [bill["request_id"] for bill in left.values()]
