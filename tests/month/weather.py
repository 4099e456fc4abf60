"""What goes wrong on the way: webhooks lost, doubled, late and out of order, calls that break."""

from random import Random

from tests.month.house import House

HOUR, DAY = 3_600, 86_400
FAULTS = (
    "rate_limit",
    "lock_timeout",
    "cut",
    "server_error",
    "server_error_after_commit",
    "timeout_after_commit",
    "cut_after_commit",
    "webhook_first",
)
PATHS = ("/v1/payment_intents", "/v1/refunds", "/v1/checkout/sessions", "/v1/customers", "/v1/invoices", "")


def change(house: House, chance: Random) -> None:
    """The weather until the next change."""
    house.lost += house.stripe.simulator.webhooks.script.lost
    lose, copies = chance.choice((0, 0, 1, 3, 10)), chance.choice((1, 1, 2, 3))
    house.bank.script(lose=lose, copies=copies, delay=chance.choice((0, 0, 0, HOUR, 2 * DAY)))
    if chance.random() < 0.4:
        house.bank.fault(chance.choice(FAULTS), path=chance.choice(PATHS), seconds=3.0)


def clear(house: House) -> None:
    """Nothing goes wrong any more."""
    house.lost += house.stripe.simulator.webhooks.script.lost
    house.bank.script()
    house.stripe.simulator.faults.rules.clear()
