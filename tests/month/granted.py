"""Credit that plans include, and whether anything was given twice; subscriptions on both sides."""

from collections import Counter

from tests.month.balances import included_of
from tests.month.cash import CUSTOMERS
from tests.month.house import House

PLAN_GRANTS = "SELECT account_id, amount FROM grants WHERE kind = 'plan'"
BOUGHT = "SELECT COUNT(*) FROM grants WHERE kind = 'purchase'"
SUBSCRIPTIONS = "SELECT subscription_id, state, ends_with_period FROM subscriptions"
PURPOSES = ("credit", "top_up")


def of_plans(house: House) -> list[str]:
    """Each fee that was paid gives the plan's credit once."""
    accounts = dict(house.read(CUSTOMERS))
    paid = Counter(
        (accounts[each["customer"]], included_of(each))
        for each in house.bank.find("invoice", status="paid")
        if each["parent"]
    )
    given = Counter((account_id, int(amount)) for account_id, amount in house.read(PLAN_GRANTS))
    return [f"{name}: {paid[name]} paid, {given[name]} given" for name in paid | given if paid[name] != given[name]]


def twice(house: House) -> list[str]:
    """As many grants that were bought as there are payments for credit."""
    paid = house.bank.find("payment_intent", status="succeeded")
    bought = sum(each["metadata"].get("purpose") in PURPOSES for each in paid)
    [(grants,)] = house.read(BOUGHT)
    return [] if grants == bought else [f"{bought} purchases, {grants} grants"]


def subscriptions(house: House) -> list[str]:
    """Each stands as it does there."""
    ours = {name: (state, bool(ends)) for name, state, ends in house.read(SUBSCRIPTIONS)}
    there = {each["id"]: (each["status"], each["cancel_at_period_end"]) for each in house.bank.find("subscription")}
    return [
        f"{name}: {ours.get(name)} here, {there.get(name)} there"
        for name in ours.keys() | there.keys()
        if ours.get(name) != there.get(name)
    ]
