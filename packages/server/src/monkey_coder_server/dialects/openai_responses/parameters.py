"""What a model is told beside the conversation, in the words and within the bounds it takes."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.reasoning_effort import nearest_effort, wanted_effort
from monkey_coder_server.dialects.strict_schema import held_to
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, OutputFormat, Reasoning, Sampling

ENCRYPTED: Final = "reasoning.encrypted_content"
"""What must be asked for: nothing is stored at the provider, so its reasoning has to be given back."""

encode_json = msgspec.json.Encoder(
    enc_hook=lambda value: dict(value) if isinstance(value, Mapping) else _unsayable(value)
).encode
"""JSON of what a request is made of, read-only mappings included."""


def thinks(card: ModelCard) -> bool:
    """Whether the model reasons."""
    return Capability.REASONING in card.capabilities


def write_reasoning(reasoning: Reasoning, card: ModelCard, quirks: Quirks) -> dict[str, Json]:
    """How much to think, and whether to tell about it; empty for a model that does not reason."""
    if not thinks(card):
        return {}
    written: dict[str, Json] = {}
    allowed, wanted = quirks.efforts_of(card.model), wanted_effort(reasoning)
    effort = None if wanted is None or not allowed else nearest_effort(wanted, allowed)
    if effort is not None:
        written["effort"] = effort
    if quirks.summaries and reasoning.include_text and reasoning.enabled:
        written["summary"] = "auto"
    return written


def write_limits(sampling: Sampling, card: ModelCard, quirks: Quirks) -> dict[str, Json]:
    """The token limit and how freely words are chosen, without what the model would refuse."""
    written: dict[str, Json] = {}
    if sampling.max_tokens is not None:
        written["max_output_tokens"] = max(sampling.max_tokens, quirks.least_tokens)
    if not card.fixed_temperature:
        chosen = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        written |= {name: value for name, value in chosen.items() if value is not None}
    return written


def write_format(output: OutputFormat, card: ModelCard, *, dialect: str | None) -> dict[str, Json]:
    """The format of the text; a model that cannot be held to a schema is held to JSON.

    The formats of the Anthropic and Gemini dialects always hold the model to the schema; OpenAI's do where they say so.
    """
    if output.schema is None or Capability.STRUCTURED not in card.capabilities:
        return {"type": "json_object"}
    written: dict[str, Json] = {"type": "json_schema", "name": output.name, "schema": output.schema}
    strict = output.strict
    if strict is None and dialect is not None and not dialect.startswith("openai"):
        strict = True
    return written if strict is None else written | held_to(output.schema, "schema", strict=strict)


def schema_in_words(output: OutputFormat, card: ModelCard) -> str | None:
    """What a model is told that cannot be held to a schema."""
    if output.schema is None or Capability.STRUCTURED in card.capabilities:
        return None
    schema = encode_json(output.schema).decode()
    return f"Answer with one JSON object and nothing else. It must satisfy this JSON Schema:\n{schema}"


def _unsayable(value: Any) -> Any:
    message = f"{type(value).__name__} has no JSON form"
    raise NotImplementedError(message)
