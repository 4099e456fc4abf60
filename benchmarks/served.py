"""A served request of little cost, as gateways tell of it."""

from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import AttemptRecord, HoldRequest, Settlement


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
        price=600_000,
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
