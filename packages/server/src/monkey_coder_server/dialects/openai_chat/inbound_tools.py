"""Reads tools and the choice among them as callers write them, also in the words that came before `tools`."""

from typing import Literal

from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.domain.conversation import CacheHint, Grammar, Json, Tool, ToolChoice
from monkey_coder_server.ports.record import Record

_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}
_NO_ARGUMENTS: dict[str, Json] = {"type": "object", "properties": {}}
_KEPT = frozenset({"name", "description", "parameters", "strict", "type", "cache_control", "format"})


class Offered(Record, frozen=True):
    """The tools that may be called and how. `as_functions`: in the words that came before `tools`."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice | None = None
    as_functions: bool = False


def read_offered(fields: Fields, lost: dict[str, None]) -> Offered:
    """`tools`, `tool_choice` and `parallel_tool_calls`, or `functions` and `function_call`."""
    tools = tuple([_tool(tool, lost) for tool in fields.objects("tools")]) if fields.items("tools") else ()
    parallel = fields.flag("parallel_tool_calls")
    if tools or not fields.items("functions"):
        choice, among = _choice(fields, parallel)
        if among is not None:
            tools = tuple(tool for tool in tools if tool.name in among)
        return Offered(tools, choice)
    functions = tuple(_function(each, lost) for each in fields.objects("functions"))
    return Offered(functions, _function_choice(fields), as_functions=True)


def read_cache_hint(owner: Fields) -> CacheHint | None:
    """A mark that ends a prefix worth caching: `cache_control` as for Claude, or OpenAI's `prompt_cache_breakpoint`."""
    mark = owner.raw.get("cache_control") or owner.raw.get("prompt_cache_breakpoint")
    if not isinstance(mark, dict):
        return None
    return CacheHint("1h") if mark.get("ttl") == "1h" else CacheHint()


def _tool(tool: Fields, lost: dict[str, None]) -> Tool:
    kind = tool.text("type") or ("custom" if "custom" in tool.raw else "function")
    if kind == "function":
        return _function(tool.object("function") or tool, lost, cache=read_cache_hint(tool))
    if kind == "custom":
        return _free_form(tool.object("custom") or tool, read_cache_hint(tool))
    return Tool(tool.text("name") or kind, server=tool.raw, dialect=DIALECT)


def _function(function: Fields, lost: dict[str, None], *, cache: CacheHint | None = None) -> Tool:
    lost |= {f"tools.{name}": None for name in function.raw if name not in _KEPT}
    parameters = function.object("parameters")
    return Tool(
        function.needed_text("name"),
        function.text("description"),
        _NO_ARGUMENTS if parameters is None else parameters.raw,
        function.flag("strict"),
        cache,
    )


def _free_form(custom: Fields, cache: CacheHint | None) -> Tool:
    format_ = custom.object("format")
    grammar = None
    if format_ is not None and format_.text("type") == "grammar":
        stated = format_.object("grammar") or format_
        grammar = Grammar(stated.needed_text("syntax"), stated.needed_text("definition"))
    return Tool(custom.needed_text("name"), custom.text("description"), cache=cache, grammar=grammar)


def _choice(fields: Fields, parallel: bool | None) -> tuple[ToolChoice | None, frozenset[str] | None]:  # noqa: FBT001 - a field
    """The choice, and the names it is among where it is only among some."""
    given = fields.raw.get("tool_choice")
    if given is None:
        return (None if parallel is None else ToolChoice(parallel=parallel)), None
    if isinstance(given, str):
        return ToolChoice(_mode(fields, "tool_choice"), parallel=parallel), None
    choice = Fields(given, "tool_choice")
    kind = choice.needed_text("type")
    if kind == "allowed_tools":
        allowed = choice.object("allowed_tools") or choice
        names = frozenset(_name(tool) for tool in allowed.objects("tools"))
        return ToolChoice(_mode(allowed, "mode"), parallel=parallel), names
    if kind not in {"function", "custom"}:
        return ToolChoice("named", kind, parallel), None
    return ToolChoice("named", _name(choice), parallel), None


def _function_choice(fields: Fields) -> ToolChoice:
    """One call an answer is all these words can say."""
    given = fields.raw.get("function_call")
    if given is None or isinstance(given, str):
        return ToolChoice("auto" if given is None else _mode(fields, "function_call"), parallel=False)
    return ToolChoice("named", Fields(given, "function_call").needed_text("name"), parallel=False)


def _mode(owner: Fields, name: str) -> Literal["auto", "none", "required"]:
    mode = _MODES.get(owner.text(name) or "auto")
    if mode is None:
        owner.refuse(name, f"must be one of {', '.join(_MODES)}, or an object that names a tool")
    return mode


def _name(owner: Fields) -> str:
    inner = owner.object("function") or owner.object("custom") or owner
    return inner.needed_text("name")
