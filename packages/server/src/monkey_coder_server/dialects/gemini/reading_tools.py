"""Reads `tools` and `toolConfig`."""

import re
from collections.abc import Iterator
from typing import Final

from monkey_coder_server.dialects.gemini.fields import Fields, record, records, text
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.open_api_schema import json_schema
from monkey_coder_server.domain.conversation import Json, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest

_UPPER = re.compile(r"(?=[A-Z])")
_NO_PARAMETERS: Final[dict[str, Json]] = {"type": "object", "properties": {}}
_SAID_ELSEWHERE: Final = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
_MODES: Final = {"ANY": "required", "NONE": "none", "AUTO": "auto", "VALIDATED": "auto"}


def read_tools(value: Json) -> tuple[Tool, ...]:
    """Functions, and Google's own tools as they came. Raises `InvalidRequest`."""
    return tuple(_tools(value))


def read_choice(fields: Fields, tools: tuple[Tool, ...]) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """Who may be called, and the tools that are left of them. Raises `InvalidRequest`.

    Of several allowed names no other dialect knows a list: the others are not offered.
    """
    path = "toolConfig.functionCallingConfig"
    calling = record(record(fields.get("toolConfig"), "toolConfig").get("functionCallingConfig"), path)
    given = (text(calling, "mode", f"{path}.") or "").upper()
    allowed = records(calling.get("allowedFunctionNames"), f"{path}.allowedFunctionNames")
    if any(not isinstance(name, str) for name in allowed):
        message = f"The field `{path}.allowedFunctionNames` must be a list of strings."
        raise InvalidRequest(message)
    if given in {"", "MODE_UNSPECIFIED"}:
        return None, tools
    if given not in _MODES:
        message = f"The field `{path}.mode` must be AUTO, ANY, VALIDATED or NONE, not {given[:40]!r}."
        raise InvalidRequest(message)
    if given == "ANY" and len(allowed) == 1:
        return ToolChoice("named", allowed[0]), tools
    left = tuple(tool for tool in tools if tool.server is not None or not allowed or tool.name in allowed)
    mode = _MODES[given]
    return ToolChoice("required" if mode == "required" else "none" if mode == "none" else "auto"), left


def left_unsaid(fields: Fields) -> list[str]:
    """Settings the neutral conversation has no place for, by name."""
    config = record(fields.get("toolConfig"), "toolConfig")
    return [f"toolConfig.{name}" for name in config if name != "functionCallingConfig"]


def _tools(value: Json) -> Iterator[Tool]:
    for at, given in enumerate(records(value, "tools")):
        for name, field in record(given, f"tools[{at}]").items():
            path = f"tools[{at}].{name}"
            if name == "functionDeclarations":
                for place, declared in enumerate(records(field, path)):
                    yield _function(record(declared, f"{path}[{place}]"), f"{path}[{place}]")
            elif field is not None:
                yield Tool(_UPPER.sub("_", name).lower(), server={name: field}, dialect=DIALECT)


def _function(declared: Fields, path: str) -> Tool:
    name = text(declared, "name", f"{path}.")
    if not name:
        message = f"The field `{path}.name` is missing: every function needs a name."
        raise InvalidRequest(message)
    word = "parameters" if declared.get("parametersJsonSchema") is None else "parametersJsonSchema"
    schema = json_schema(record(declared.get(word), f"{path}.{word}") and declared[word], f"{path}.{word}")
    return Tool(name, text(declared, "description", f"{path}."), _of_object(schema))


def _of_object(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema said in full, as OpenAI asks for it: Google takes an object without a type, or without properties."""
    if not schema:
        return _NO_PARAMETERS
    if schema.get("type", "object") != "object" or schema.keys() & _SAID_ELSEWHERE:
        return schema
    return {"type": "object", **schema, "properties": schema.get("properties") or {}}
