"""What OpenAI and xAI refuse among the tools of a Responses request, in their own words."""

import re
from typing import Any

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.openai_responses.parameter_checks import loose_schema
from monkey_coder_server.sandbox.wire_errors import refuse

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NEWER = {
    "custom": re.compile(r"^gpt-[56]"),
    "namespace": re.compile(r"^gpt-5\.[4-9]|^gpt-6"),
    "tool_search": re.compile(r"^gpt-5\.[4-9]|^gpt-6"),
    "shell": re.compile(r"^gpt-5\.[1-9]|^gpt-6"),
    "apply_patch": re.compile(r"^gpt-5\.[1-9]|^gpt-6"),
    "web_search": re.compile(r"^(?!gpt-4\.1-nano|o3-mini)"),
}
"""Types of tools not every model takes."""
_XAI = ("function", "web_search", "x_search", "code_interpreter", "file_search", "mcp")


def tools(provider: str, card: Card, offered: list[Any]) -> None:
    """Raise Refused unless every tool is one this model can be offered."""
    for index, tool in enumerate(offered):
        place = f"tools[{index}]"
        kind = tool.get("type") if isinstance(tool, dict) else None
        if provider == "xai" and kind not in _XAI:
            message = (
                f"Failed to deserialize the JSON body into the target type: {place}.type: unknown variant `{kind}`, "
                f"expected one of {', '.join(f'`{name}`' for name in _XAI)}"
            )
            refuse("invalid", message)
        if kind is None:
            refuse("invalid", f"Missing required parameter: '{place}.type'.", param=f"{place}.type")
        if kind in _NEWER and provider == "openai" and not _NEWER[kind].search(card.id):
            refuse("invalid", f"Tool '{kind}' is not supported with {card.id}.", param="tools")
        if kind == "namespace":
            tools(provider, card, tool.get("tools") or [])
        if kind in {"function", "custom", "namespace"}:
            _name(place, tool.get("name"))
        if kind == "function":
            _function(place, tool)


def choice(provider: str, wanted: Any, offered: list[Any]) -> None:
    """Raise Refused for a choice of a tool that is not offered."""
    if wanted in {None, "auto", "none"} if not isinstance(wanted, dict) else False:
        return
    if not offered:
        refuse("invalid", "Tool choice can only be specified when 'tools' are provided.", param="tool_choice")
    if isinstance(wanted, dict):
        kind, name = wanted.get("type"), wanted.get("name")
        if kind == "allowed_tools" or any(tool.get("type") == kind and tool.get("name") == name for tool in offered):
            return
        refuse("invalid", f"Tool choice '{name or kind}' not found in 'tools' parameter.", param="tool_choice")
    if wanted != "required" and provider == "openai":
        message = f"Invalid value: '{wanted}'. Supported values are: 'none', 'auto', and 'required'."
        refuse("invalid", message, param="tool_choice", code="invalid_value")


def _name(place: str, name: Any) -> None:
    param = f"{place}.name"
    if name is None:
        refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if not _NAME.fullmatch(str(name)):
        message = (
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'."
        )
        refuse("invalid", message, param=param, code="invalid_value")


def _function(place: str, tool: dict[str, Any]) -> None:
    schema = tool.get("parameters")
    if schema is None:
        return
    problem = None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        found = schema.get("type") if isinstance(schema, dict) else schema
        problem = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{found}\"'."
    elif "properties" not in schema:
        problem = "In context=(), object schema missing properties."
    elif tool.get("strict"):
        problem = loose_schema(schema)
    if problem:
        message = f"Invalid schema for function '{tool['name']}': {problem}"
        refuse("invalid", message, param=f"{place}.parameters", code="invalid_function_parameters")
