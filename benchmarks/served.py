"""A request as gateways hold for it, and how it ends: served, at little cost."""

from datetime import UTC, datetime, timedelta

from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import AttemptRecord, HoldRequest, Settlement

AMOUNT, PRICE = NANO_PER_USD // 100, 600_000
_new_id = system_ids().new


def request(account: str) -> HoldRequest:
    """A hold for a request of the account's key, which is called after it."""
    at = datetime.now(UTC)
    return HoldRequest(_new_id("req"), account, f"key_{account}", AMOUNT, at, at + timedelta(minutes=10))


def settlement(asked: HoldRequest) -> Settlement:
    """What came of a request."""
    return Settlement(
        request_id=asked.request_id,
        account_id=asked.account_id,
        key_id=asked.key_id,
        at=asked.at,
        provider="openai",
        model="gpt-4.1-mini",
        usage=Usage(uncached_input=120, output=300),
        provider_cost=500_000,
        price=PRICE,
        price_row="openai/gpt-4.1-mini",
        price_book="bench",
        markup_basis_points=2_000,
        attempts=(AttemptRecord("openai", "gpt-4.1-mini", "served", 200, 900),),
        finish_reason="stop",
        stream=False,
        task_type="code_generation",
        persona="developer",
        latency_ms=900,
        first_byte_ms=200,
    )
