"""What the writers of an answer must know of its request."""

from collections.abc import Mapping
from typing import Any

from monkey_coder_server.dialects.openai_responses.tool_names import ToolNames
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.record import Record

_DEFAULTS: Mapping[str, Json] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
"""The parameters an answer repeats, and what it says of those that were left out."""


class Form(Record, frozen=True):
    """`echo` is what the answer repeats of its request, `names` the way from a model's tool names to the caller's."""

    echo: Mapping[str, Any]
    names: ToolNames

    @property
    def previous(self) -> str | None:
        """The response this one goes on from."""
        previous: str | None = self.echo["previous_response_id"]
        return previous


def echo_of(body: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of a request as its answer repeats them."""
    return {name: default if body.get(name) is None else body[name] for name, default in _DEFAULTS.items()}
