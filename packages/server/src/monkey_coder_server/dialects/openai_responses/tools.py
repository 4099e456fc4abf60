"""Writes tools and the choice among them."""

from collections.abc import Sequence

from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.strict_schema import held_to
from monkey_coder_server.dialects.wire import as_object, as_text
from monkey_coder_server.domain.conversation import Json, ModelRequest, Tool
from monkey_coder_server.domain.errors import InvalidRequest

TOOLS = "tools."
"""Stands before the name of a tool that was left out."""


def write_tools(request: ModelRequest, model: str, quirks: Quirks, dropped: list[str]) -> dict[str, Json]:
    """The fields about tools; empty without any. Tools this model cannot be offered are named in `dropped`.

    Raises `InvalidRequest` when the caller insists on one of those.
    """
    kept = [tool for tool in request.tools if _taken(tool, model, quirks)]
    dropped.extend(f"{TOOLS}{tool.name}" for tool in request.tools if tool not in kept)
    _insist(request, kept)
    if not kept:
        return {}
    lenient = None if request.dialect == DIALECT else False
    written: dict[str, Json] = {"tools": [_tool(tool, model, quirks, lenient=lenient) for tool in kept]}
    choice = request.tool_choice
    if choice is not None:
        written["tool_choice"] = _named(choice.name, kept, model, quirks) if choice.mode == "named" else choice.mode
        if choice.parallel is not None:
            written["parallel_tool_calls"] = choice.parallel
    return written


def hosted(kind: str, environment: dict[str, Json]) -> str:
    """The type of a tool as its price goes: a shell in a container of the provider's is not one the caller runs."""
    return "shell in a container" if kind == "shell" and environment.get("type", "local") != "local" else kind


def cannot_insist(name: str) -> InvalidRequest:
    """The refusal of a caller who wants a tool this model cannot be offered."""
    message = f"This model cannot be offered the tool {name!r}; leave the choice to it, or take another model."
    return InvalidRequest(message)


def _taken(tool: Tool, model: str, quirks: Quirks) -> bool:
    if tool.server is None:
        return True
    return tool.dialect == DIALECT and quirks.takes(_kind(tool), model)


def _kind(tool: Tool) -> str:
    definition = as_object(tool.server)
    return hosted(as_text(definition.get("type")) or "", as_object(definition.get("environment")))


def _insist(request: ModelRequest, kept: Sequence[Tool]) -> None:
    choice = request.tool_choice
    if choice is None or choice.mode not in {"named", "required"}:
        return
    lost = [tool.name for tool in request.tools if tool not in kept and choice.name in {None, tool.name}]
    if lost and (choice.mode == "named" or not kept):
        raise cannot_insist(lost[0])


def _tool(tool: Tool, model: str, quirks: Quirks, *, lenient: bool | None) -> Json:
    """One tool. `lenient` says what a function is whose caller said nothing: only here is one strict by default."""
    if tool.server is not None:
        return tool.server
    if tool.schema is None and quirks.takes("custom", model):
        return _free_form(tool)
    written: dict[str, Json] = {"type": "function", "name": tool.name}
    if (description := description_with_grammar(tool)) is not None:
        written["description"] = description
    schema = FREE_TEXT if tool.schema is None else _object_schema(dict(tool.schema))
    written["parameters"] = schema
    strict = lenient if tool.strict is None else tool.strict
    return written if strict is None else written | held_to(schema, "parameters", strict=strict)


def _free_form(tool: Tool) -> Json:
    written: dict[str, Json] = {"type": "custom", "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.grammar is not None:
        grammar = tool.grammar
        written["format"] = {"type": "grammar", "syntax": grammar.syntax, "definition": grammar.definition}
    return written


def _object_schema(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema as OpenAI wants it: "object schema missing properties" is an error."""
    schema.setdefault("type", "object")
    if schema["type"] == "object":
        schema.setdefault("properties", {})
    return schema


def _named(name: str | None, kept: Sequence[Tool], model: str, quirks: Quirks) -> Json:
    tool = next((tool for tool in kept if tool.name == name), None)
    if tool is not None and tool.server is not None:
        definition = as_object(tool.server)
        return {field: definition[field] for field in ("type", "server_label") if field in definition}
    free = tool is not None and tool.schema is None and quirks.takes("custom", model)
    return {"type": "custom" if free else "function", "name": name}
