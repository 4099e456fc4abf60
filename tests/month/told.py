"""What callers were told beside receipts; whether every event of Stripe that came was handled."""

from monkey_coder_server.domain.money import usd
from tests.month.asking import Heard
from tests.month.house import House
from tests.month.receipts import read_receipts


def differing(house: House, heard: Heard) -> list[str]:
    """Answers that said another cost than their receipt, and receipts that no answer is known of."""
    charges = {each.request_id: each.amount for each in read_receipts(house)}
    apart = [name for name, told in heard.costs.items() if told != usd(charges.get(name, 0))]
    more = [] if len(charges) == heard.served else [f"{len(charges)} receipts for {heard.served} answers"]
    return apart + more


def unhandled(house: House) -> list[str]:
    """Events that came and wait."""
    waiting = house.read("SELECT event_id, kind, note FROM stripe_events WHERE handled_at IS NULL")
    return [" ".join(map(str, row)) for row in waiting]
