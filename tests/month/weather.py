"""What goes wrong on the way: webhooks lost, doubled, late and out of order, calls that break."""

from random import Random

from monkey_coder_server.sandbox.stripe.faults import KINDS
from tests.month.house import House

HOUR, DAY = 3_600, 86_400
FAULTS = tuple(kind for kind in KINDS if kind != "slow")
"""A slow answer only costs time here."""
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
