"""The cash Stripe holds for us, by its own record of funds, beside the cash account of our books."""

from collections import Counter
from collections.abc import Sequence

from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.sandbox.stripe.account import Object
from tests.month.customers import Customer
from tests.month.house import House

OURS = (
    "SELECT p.account_id, -SUM(e.amount) FROM entries e JOIN payments p ON p.payment_id = e.owner"
    " WHERE e.kind = 'cash' GROUP BY p.account_id"
)
ALL_OURS = "SELECT -SUM(amount) FROM entries WHERE kind = 'cash'"
CUSTOMERS = "SELECT customer_id, account_id FROM payment_customers"


def differing(house: House, customers: Sequence[Customer]) -> list[str]:
    """By customer, and all together."""
    ours, theirs = {name: int(sum_) for name, sum_ in house.read(OURS)}, by_account(house)
    wrong = [
        f"{one.whose}: {theirs[one.account_id]} there, {ours.get(one.account_id, 0)} here"
        for one in customers
        if theirs[one.account_id] != ours.get(one.account_id, 0)
    ]
    held = house.bank.cash()
    there = (sum(held.values()) - held["fee"] - held["net"]) * NANO_PER_CENT
    [(here,)] = house.read(ALL_OURS)
    return wrong if there == int(here or 0) else [*wrong, f"all: {there} there, {here} here"]


def by_account(house: House) -> Counter[str]:
    """Nano-dollars that movements of Stripe's funds come to, without its fees."""
    known = dict(house.read(CUSTOMERS))
    sums: Counter[str] = Counter()
    for movement in house.bank.find("balance_transaction"):
        sums[known.get(_customer(house, movement), "")] += movement["amount"] * NANO_PER_CENT
    return sums


def _customer(house: House, movement: Object) -> str:
    objects = house.stripe.simulator.account.objects
    return str(objects[objects[movement["source"]]["payment_intent"]]["customer"])
