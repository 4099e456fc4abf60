"""What each provider of this dialect refuses, in its own words."""

import re
from typing import Any

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.wire_errors import refuse

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_OPENAI_PARAMETERS = frozenset(
    [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
_GROQ_PARAMETERS = (_OPENAI_PARAMETERS - {"audio", "modalities", "prediction", "verbosity", "web_search_options"}) | {
    "citation_options",
    "compound_custom",
    "disable_tool_validation",
    "documents",
    "exclude_domains",
    "include_domains",
    "include_reasoning",
    "reasoning_format",
    "search_settings",
}
_ONLY_DEFAULT = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_XAI_REASONING_REFUSES = ("presence_penalty", "frequency_penalty", "stop")
_FIXED_TEMPERATURE = re.compile(r"^kimi-k2\.[5-9]|^kimi-k3")
_REASONS_WITHOUT_TOOLS = re.compile(r"^gpt-5\.6|^gpt-6")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def parameters(provider: str, card: Card, body: dict[str, Any]) -> None:
    """Raise Refused for parameters this provider or model does not take."""
    known = {"openai": _OPENAI_PARAMETERS, "groq": _GROQ_PARAMETERS}.get(provider)
    for name in body.keys() - known if known else ():
        if provider == "groq":
            refuse("invalid", f"property '{name}' is unsupported")
        refuse("invalid", f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    if body.get("stream_options") is not None and not body.get("stream") and provider == "openai":
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        refuse("invalid", message, param="stream_options")
    if body.get("n") not in {None, 1}:
        refuse("invalid", "'n' : number must be at most 1", param="n")
    _ranges(body)
    rules = _MODEL_RULES.get(provider)
    if rules is not None:
        rules(card, body)
    _output_limit(provider, card, body)


def _ranges(body: dict[str, Any]) -> None:
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            message = f"Invalid type for '{name}': expected a decimal, but got {_kind(value)} instead."
            refuse("invalid", message, param=name, code="invalid_type")
        if not low <= value <= high:
            side, bound, sign = ("below minimum", low, ">=") if value < low else ("above maximum", high, "<=")
            message = (
                f"Invalid '{name}': decimal {side} value. Expected a value {sign} {bound}, but got {value} instead."
            )
            code = "decimal_below_min_value" if value < low else "decimal_above_max_value"
            refuse("invalid", message, param=name, code=code)
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            message = f"Invalid type for '{name}': expected an integer, but got {_kind(value)} instead."
            refuse("invalid", message, param=name, code="invalid_type")
        if value is not None and value < 1:
            message = f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {value} instead."
            refuse("invalid", message, param=name, code="integer_below_min_value")


def _kind(value: object) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), "null")


def _openai_rules(card: Card, body: dict[str, Any]) -> None:
    if not card.reasons:
        return
    if body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        refuse("invalid", message, param="max_tokens", code="unsupported_parameter")
    if _REASONS_WITHOUT_TOOLS.search(card.id) and body.get("tools") and body.get("reasoning_effort") != "none":
        message = (
            f"Function tools with reasoning_effort are not supported for {card.id} in /v1/chat/completions. To use "
            "function tools, use /v1/responses or set reasoning_effort to 'none'."
        )
        refuse("invalid", message, param="reasoning_effort")
    if body.get("stop"):
        message = "Unsupported parameter: 'stop' is not supported with this model."
        refuse("invalid", message, param="stop", code="unsupported_parameter")
    for name, default in _ONLY_DEFAULT.items():
        value = body.get(name)
        if value is not None and value != default:
            message = (
                f"Unsupported value: '{name}' does not support {value} with this model. Only the default ({default}) "
                "value is supported."
            )
            refuse("invalid", message, param=name, code="unsupported_value")


def _xai_rules(card: Card, body: dict[str, Any]) -> None:
    for name in _XAI_REASONING_REFUSES if card.reasons else ():
        if body.get(name):
            refuse("invalid", f"Model {card.id} does not support parameter {name}.")


def _moonshot_rules(card: Card, body: dict[str, Any]) -> None:
    temperature = body.get("temperature")
    if _FIXED_TEMPERATURE.search(card.id) and temperature not in {None, 1}:
        refuse("invalid", "invalid temperature: only 1 is allowed for this model")


def _perplexity_rules(_card: Card, body: dict[str, Any]) -> None:
    if body.get("tools"):
        refuse("invalid", "Tool calling is not supported for this model.", code="tool_calling_not_supported")


_MODEL_RULES = {
    "openai": _openai_rules,
    "xai": _xai_rules,
    "moonshot": _moonshot_rules,
    "perplexity": _perplexity_rules,
}


def _output_limit(provider: str, card: Card, body: dict[str, Any]) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is None or value <= card.output_limit:
            continue
        if provider == "groq":
            refuse(
                "invalid",
                f"`{name}` must be less than or equal to `{card.output_limit}`, the maximum value for `{name}` is less "
                "than the `context_window` for this model",
            )
        refuse(
            "invalid",
            f"{name} is too large: {value}. This model supports at most {card.output_limit} completion tokens, whereas "
            f"you provided {value}.",
            param=name,
            code="invalid_value",
        )


def messages(provider: str, card: Card, entries: object) -> list[dict[str, Any]]:
    """The messages, if their roles and tool results are in an order the provider takes. Raises Refused."""
    if entries is None:
        refuse(
            "invalid", "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter"
        )
    if not isinstance(entries, list):
        message = f"Invalid type for 'messages': expected an array of objects, but got {_kind(entries)} instead."
        refuse("invalid", message, param="messages", code="invalid_type")
    if not entries:
        message = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
        refuse("invalid", message, param="messages", code="empty_array")
    for index, entry in enumerate(entries):
        _role(index, entry)
    _tool_order(entries)
    if provider == "perplexity":
        _alternation(entries)
    if provider == "groq":
        _no_foreign_fields(entries)
    if provider == "moonshot" and card.reasons:
        _reasoning_is_replayed(entries)
    return entries


def _role(index: int, entry: object) -> None:
    if not isinstance(entry, dict):
        message = f"Invalid type for 'messages[{index}]': expected an object, but got {_kind(entry)} instead."
        refuse("invalid", message, param=f"messages[{index}]", code="invalid_type")
    role = entry.get("role")
    param = f"messages[{index}].role"
    if role is None:
        refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if role not in _ROLES:
        supported = ", ".join(f"'{name}'" for name in _ROLES[:-1])
        message = f"Invalid value: '{role}'. Supported values are: {supported}, and 'developer'."
        refuse("invalid", message, param=param, code="invalid_value")
    if role in {"user", "system"} and entry.get("content") is None:
        message = "Invalid value for 'content': expected a string, got null."
        refuse("invalid", message, param=f"messages[{index}].content", code="invalid_type")


def _tool_order(entries: list[dict[str, Any]]) -> None:
    open_calls: set[str] = set()
    for index, entry in enumerate(entries):
        if entry["role"] == "tool":
            if entry.get("tool_call_id") not in open_calls:
                message = (
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'."
                )
                refuse("invalid", message, param=f"messages.[{index}].role")
            open_calls.discard(entry["tool_call_id"])
            continue
        _all_answered(open_calls, index)
        open_calls = {call.get("id", "") for call in entry.get("tool_calls") or ()}
    _all_answered(open_calls, len(entries))


def _all_answered(open_calls: set[str], index: int) -> None:
    if open_calls:
        message = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to "
            "each 'tool_call_id'. "
            f"The following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}"
        )
        refuse("invalid", message, param=f"messages.[{index}].role")


def _alternation(entries: list[dict[str, Any]]) -> None:
    roles = [entry["role"] for entry in entries]
    while roles and roles[0] == "system":
        del roles[0]
    wrong = any(role != ("user", "assistant")[index % 2] for index, role in enumerate(roles))
    if wrong:
        message = (
            "After the (optional) system message(s), user or tool message(s) should alternate with assistant "
            "message(s)."
        )
        refuse("invalid", message, code="invalid_message")
    if not roles or roles[-1] != "user":
        refuse("invalid", "Last message must have role `user`.", code="invalid_message")


def _no_foreign_fields(entries: list[dict[str, Any]]) -> None:
    for index, entry in enumerate(entries):
        for name in ("reasoning_content", "refusal", "annotations", "audio"):
            if name in entry:
                refuse(
                    "invalid",
                    f"'messages.{index}' : for 'role:{entry['role']}' the following must be "
                    f"satisfied[('messages.{index}' : "
                    f"property '{name}' is unsupported)]",
                )


def _reasoning_is_replayed(entries: list[dict[str, Any]]) -> None:
    for index, entry in enumerate(entries):
        if entry.get("tool_calls") and not entry.get("reasoning_content"):
            refuse(
                "invalid",
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {index}",
            )


def tools(entries: object) -> None:
    """Raise Refused unless every tool is a function with a usable name."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        function = entry.get("function") if isinstance(entry, dict) else None
        if not isinstance(function, dict):
            param = f"tools[{index}].function"
            refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
        if not _NAME.fullmatch(str(function.get("name", ""))):
            param = f"tools[{index}].function.name"
            message = (
                f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
                "'^[a-zA-Z0-9_-]+$'."
            )
            refuse("invalid", message, param=param, code="invalid_value")


def response_format(provider: str, wanted: dict[str, Any], text: str) -> None:
    """Raise Refused for a structured output request the provider would not take."""
    if wanted.get("type") == "json_object" and provider in {"openai", "groq"} and "json" not in text.lower():
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        refuse("invalid", message, param="messages")
    described = wanted.get("json_schema") or {}
    schema = described.get("schema")
    if wanted.get("type") != "json_schema":
        return
    if not isinstance(schema, dict):
        param = "response_format.json_schema.schema"
        refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if provider == "openai" and described.get("strict") and schema.get("additionalProperties") is not False:
        message = (
            f"Invalid schema for response_format '{described.get('name')}': In context=(), 'additionalProperties' is "
            "required to be supplied and to be false."
        )
        refuse("invalid", message, param="response_format")
