"""Which parameters a model takes, read off its provider's quirks and its card."""

from collections.abc import Iterator, Mapping
from typing import Final

from monkey_coder_server.dialects.left_out import DEFAULTS
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, Role

FIXED: Final = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
"""What a model with a fixed temperature refuses beside it."""
TIER: Final = "service_tier"
"""The one field by which a service is asked for that may have other prices."""
STANDARD_TIERS: Final = (None, "auto", "default", "standard", "on_demand")
"""Values of `service_tier` billed by the price list; the prices of others (`priority`, `flex`) are not in it."""
_DEFAULTS: Mapping[str, Json] = {
    **DEFAULTS,
    "n": 1,
    "logprobs": False,
    "parallel_tool_calls": True,
    "store": False,
}


def refused_by(card: ModelCard, quirks: Quirks) -> frozenset[str]:
    """The fields this model answers with an error."""
    refused = quirks.refused
    if Capability.REASONING in card.capabilities:
        refused |= quirks.refused_when_reasoning
    return refused | FIXED if card.fixed_temperature else refused


def has_other_prices(name: str, value: Json) -> bool:
    """Whether a field asks for a service the price list does not cover."""
    return name == TIER and value not in STANDARD_TIERS


def says_something(name: str, value: Json) -> bool:
    """Whether leaving a field out changes what is asked."""
    return value is not None and (name not in _DEFAULTS or value != _DEFAULTS[name])


def unnamed(request: ModelRequest, quirks: Quirks) -> Iterator[str]:
    """Notes that the names of who speaks are left out where the provider takes none."""
    if "name" in quirks.refused and any(message.name and message.role is not Role.TOOL for message in request.messages):
        yield "messages.name"
