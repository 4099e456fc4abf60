"""Where the providers that speak chat completions differ, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from monkey_coder_server.domain.conversation import Json

ADDITIONS = frozenset({"reasoning", "reasoning_content", "reasoning_details", "extra_content", "cache_control"})
"""Fields of messages that other servers added to the dialect: reasoning, its proofs, marks for a cache."""

_NO_EFFORTS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_NO_FIELDS: Mapping[str, Mapping[str, Json]] = MappingProxyType({})


def _no_efforts() -> Mapping[str, tuple[str, ...]]:
    return _NO_EFFORTS


def _no_fields() -> Mapping[str, Mapping[str, Json]]:
    return _NO_FIELDS


@dataclass(frozen=True, slots=True)
class Quirks:
    """One provider's deviations.

    `max_tokens_field`: the name of the output limit.
    `refused`: request fields the provider answers with an error, never sent.
    `refused_when_reasoning`: the same for models that reason.
    `efforts`: model prefix → the words of `reasoning_effort` it takes, least first; the longest prefix counts.
    `also`: model prefix → fields sent with every request to such a model.
    `custom_tools`: whether free-form tools, and a choice among some of the tools, are understood.
    `documents`: how a binary document is written; None where there is no way.
    `tool_images`: whether a tool's message may hold pictures; elsewhere they follow it.
    `longest_call_id`: how long the id of a tool call may be; a longer one is replaced by its digest.
    `replays_reasoning`: the field in which assistant turns carry their reasoning back, never empty beside calls.
    `refused_in_messages`: fields of a message the provider answers with an error, never sent.
    `refusals`: whether assistant turns may carry a `refusal`; elsewhere it goes back as plain text.
    `json_object`: whether plain JSON output can be asked for without a schema.
    `alternates`: user turns in a row are refused and must be joined.
    `thinking_switch`: prefixes of models whose thinking is turned off by a `thinking` field.
    `session_field`, `session_header`: where all turns of a conversation may carry one name, so that they find the
    prompt they begin with in a cache; None where there is no such place.
    `requires_tools`: whether `tool_choice: "required"` is understood (it is asked as `auto` otherwise).
    """

    provider: str
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    developer_role: bool = False
    custom_tools: bool = False
    refusals: bool = False
    json_object: bool = True
    alternates: bool = False
    requires_tools: bool = True
    session_field: Literal["prompt_cache_key"] | None = None
    session_header: Literal["x-grok-conv-id"] | None = None
    thinking_switch: tuple[str, ...] = ()
    documents: Literal["file", "file_url"] | None = None
    tool_images: bool = False
    longest_call_id: int | None = None
    replays_reasoning: str | None = None
    refused_in_messages: frozenset[str] = ADDITIONS
    refused: frozenset[str] = frozenset({"top_k"})
    refused_when_reasoning: frozenset[str] = frozenset()
    efforts: Mapping[str, tuple[str, ...]] = field(default_factory=_no_efforts)
    also: Mapping[str, Mapping[str, Json]] = field(default_factory=_no_fields)

    def also_for(self, model: str) -> dict[str, Json]:
        """The fields sent with every request to this model."""
        chosen: dict[str, Json] = {}
        for prefix, fields in self.also.items():
            if model.startswith(prefix):
                chosen |= fields
        return chosen
