"""The `usage` object: output counts reasoning at both providers; xAI names its cost."""

from math import ceil
from typing import Any

from monkey_coder_server.sandbox.openai_chat.usage import TICKS_PER_NANO
from monkey_coder_server.sandbox.served import Served


def report(served: Served) -> dict[str, Any] | None:
    """The usage object this provider sends, None where it is withheld."""
    usage = served.reported
    if usage is None:
        return None
    output = usage.output + usage.reasoning
    inputs = {"cached_tokens": usage.cache_read}
    if served.card.bills_cache_writes:
        inputs["cache_write_tokens"] = usage.cache_write_5m
    told: dict[str, Any] = {
        "input_tokens": usage.prompt,
        "input_tokens_details": inputs,
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + output,
    }
    if served.ask.provider == "xai":
        told |= {
            "num_sources_used": 0,
            "num_server_side_tools_used": 0,
            "cost_in_usd_ticks": ceil(served.bill.exact * TICKS_PER_NANO),
            "context_details": {"input_tokens": usage.prompt, "output_tokens": output},
        }
    return told
