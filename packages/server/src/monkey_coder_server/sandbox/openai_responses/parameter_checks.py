"""What OpenAI and xAI refuse among the parameters of a Responses request, in their own words."""

import re
from typing import Any

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.wire_errors import refuse

_PARAMETERS = frozenset(
    {
        *("access_programs", "background", "background_options", "client_metadata", "context_management"),
        *("conversation", "image", "include", "input", "instructions", "max_output_tokens", "max_tool_calls"),
        *("metadata", "model", "moderation", "parallel_tool_calls", "previous_response_id", "prompt"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier"),
        *("service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools"),
        *("top_logprobs", "top_p", "truncation", "user"),
    }
)
_SMALLEST_LIMIT = {"openai": 16, "xai": 1}
_EFFORTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "openai": (
        (r"^o[134]", ("low", "medium", "high")),
        (r"^gpt-5\.3-codex", ("low", "medium", "high", "xhigh")),
        (r"^gpt-6(\.1-sol|-astra)", ("low", "medium", "high", "xhigh", "max")),
        (r"^gpt-6|^gpt-5\.6", ("none", "low", "medium", "high", "xhigh", "max")),
        (r"^gpt-5\.[2345]", ("none", "low", "medium", "high", "xhigh")),
        (r"^gpt-5\.1", ("none", "low", "medium", "high")),
        (r"^gpt-5", ("minimal", "low", "medium", "high")),
    ),
    "xai": (
        (r"^grok-4\.[567]", ("low", "medium", "high", "xhigh")),
        (r"^grok-4\.3", ("none", "low", "medium", "high")),
        (r"^grok-3-mini", ("low", "high")),
    ),
}
_VERBOSE = re.compile(r"^gpt-[56]")


def parameters(provider: str, card: Card, body: dict[str, Any]) -> None:
    """Raise Refused for parameters this provider or model does not take."""
    if provider == "openai":
        for name in body.keys() - _PARAMETERS:
            refuse("invalid", f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    _stored(body)
    if body.get("stream_options") is not None and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        refuse("invalid", message, param="stream_options")
    _limit(provider, card, body.get("max_output_tokens"))
    _sampling(provider, card, body)
    _reasoning(provider, card, body.get("reasoning") or {})
    verbosity = (body.get("text") or {}).get("verbosity")
    if provider == "openai" and verbosity not in {None, "medium"} and not _VERBOSE.search(card.id):
        message = (
            f"Unsupported value: '{verbosity}' is not supported with the '{card.id}' model. Supported values are: "
            "'medium'."
        )
        refuse("invalid", message, param="text.verbosity", code="unsupported_value")


def text_format(provider: str, wanted: dict[str, Any], text: str) -> None:
    """Raise Refused for a structured output request the provider would not take."""
    kind = wanted.get("type", "text")
    if kind == "json_object" and provider == "openai" and "json" not in text.lower():
        message = (
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'."
        )
        refuse("invalid", message, param="input")
    if kind != "json_schema":
        return
    for name in ("name", "schema"):
        if not wanted.get(name):
            param = f"text.format.{name}"
            refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if wanted.get("strict") and (problem := loose_schema(wanted["schema"])):
        message = f"Invalid schema for response_format '{wanted['name']}': {problem}"
        refuse("invalid", message, param="text.format.schema", code="invalid_json_schema")


def loose_schema(schema: Any) -> str | None:
    """Why a model cannot be held to a schema; None when it can."""
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "In context=(), 'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in schema.get("properties") or () if name not in (schema.get("required") or ())]
        if missing:
            return (
                "In context=(), 'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing[0]}'."
            )
    inner = [*(schema.get("properties") or {}).values(), schema.get("items")]
    return next((problem for each in inner if (problem := loose_schema(each))), None)


def _stored(body: dict[str, Any]) -> None:
    """This simulator keeps nothing, as a provider asked with `store: false` does."""
    previous = body.get("previous_response_id")
    if previous:
        message = f"Previous response with id '{previous}' not found."
        refuse("invalid", message, param="previous_response_id", code="previous_response_not_found")
    if body.get("conversation"):
        refuse("not_found", "Conversation not found.", param="conversation")
    if body.get("background") and body.get("store") is False:
        refuse("invalid", "Background mode requires that 'store' is true.", param="background")


def _limit(provider: str, card: Card, value: Any) -> None:
    smallest = _SMALLEST_LIMIT[provider]
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        message = "Invalid type for 'max_output_tokens': expected an integer, but got something else instead."
        refuse("invalid", message, param="max_output_tokens", code="invalid_type")
    if value < smallest:
        message = (
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {smallest}, but got "
            f"{value} instead."
        )
        refuse("invalid", message, param="max_output_tokens", code="integer_below_min_value")
    if value > card.output_limit:
        message = (
            f"max_output_tokens is too large: {value}. This model supports at most {card.output_limit} completion "
            f"tokens, whereas you provided {value}."
        )
        refuse("invalid", message, param="max_output_tokens", code="invalid_value")


def _sampling(provider: str, card: Card, body: dict[str, Any]) -> None:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if provider == "openai" and card.reasons and value != 1:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            refuse("invalid", message, param=name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 2:
            refuse("invalid", f"Invalid '{name}': expected a decimal between 0 and 2.", param=name)


def _reasoning(provider: str, card: Card, reasoning: dict[str, Any]) -> None:
    effort = reasoning.get("effort")
    if provider == "openai" and not card.reasons:
        for name in ("effort", "summary"):
            if reasoning.get(name) is not None:
                message = f"Unsupported parameter: 'reasoning.{name}' is not supported with this model."
                refuse("invalid", message, param=f"reasoning.{name}", code="unsupported_parameter")
    if effort is None:
        return
    allowed = next((words for pattern, words in _EFFORTS[provider] if re.search(pattern, card.id)), ())
    if provider == "xai" and not allowed:
        refuse("invalid", "Argument not supported on this model: reasoningEffort")
    if effort not in allowed:
        listed = ", ".join(f"'{word}'" for word in allowed[:-1])
        message = (
            f"Unsupported value: '{effort}' is not supported with the '{card.id}' model. Supported values are: "
            f"{listed}, and '{allowed[-1]}'."
        )
        refuse("invalid", message, param="reasoning.effort", code="unsupported_value")
