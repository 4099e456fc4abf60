"""Reads tools and the choice among them."""

from collections.abc import Iterable, Mapping
from typing import Literal

from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.tool_names import LONGEST, Spoken, ToolNames
from monkey_coder_server.domain.conversation import Grammar, Json, Tool, ToolChoice

_WITHOUT_PARAMETERS: dict[str, Json] = {"type": "object", "properties": {}}

_Mode = Literal["auto", "none", "required"]
_MODES: Mapping[str, _Mode] = {"auto": "auto", "none": "none", "required": "required"}


class Toolbox:
    """The tools of a request by their flat names, wherever they were offered: at its top or among its input."""

    def __init__(self) -> None:
        self.names = ToolNames()
        self._tools: dict[str, Tool] = {}

    def take(self, offered: Iterable[Fields], namespace: str | None = None) -> None:
        """Take tools as they are defined; a later definition replaces an earlier one of the same tool."""
        for fields in offered:
            kind = fields.needed_text("type")
            if kind == "function":
                self._take_function(fields, namespace)
            elif kind == "custom":
                self._take_custom(fields, namespace)
            elif kind == "namespace":
                self.take(fields.objects("tools"), fields.needed_text("name"))
            else:
                name = server_name(kind, fields)
                self._tools[name] = Tool(name, server=fields.raw, dialect=DIALECT)

    def chosen(self, fields: Fields) -> tuple[tuple[Tool, ...], ToolChoice | None]:
        """What the model may use, and how it is to choose."""
        parallel = fields.flag("parallel_tool_calls")
        tools = tuple(self._tools.values())
        choice = fields.raw.get("tool_choice")
        if choice is None:
            return tools, None if parallel is None else ToolChoice(parallel=parallel)
        if isinstance(choice, str):
            return tools, ToolChoice(_mode(fields, choice), parallel=parallel)
        wanted = Fields(choice, fields.path("tool_choice"))
        if wanted.text("type") == "allowed_tools":
            allowed = {self._named(each) for each in wanted.objects("tools")}
            mode = _mode(wanted, wanted.text("mode") or "auto", "mode")
            return tuple(tool for tool in tools if tool.name in allowed), ToolChoice(mode, parallel=parallel)
        return tools, ToolChoice("named", self._named(wanted), parallel=parallel)

    def _take_function(self, fields: Fields, namespace: str | None) -> None:
        parameters = fields.object("parameters")
        flat = self.names.add(Spoken(namespace, fields.needed_text("name")))
        self._tools[flat] = Tool(
            flat,
            fields.text("description"),
            _WITHOUT_PARAMETERS if parameters is None else parameters.raw,
            fields.flag("strict"),
        )

    def _take_custom(self, fields: Fields, namespace: str | None) -> None:
        flat = self.names.add(Spoken(namespace, fields.needed_text("name"), custom=True))
        self._tools[flat] = Tool(flat, fields.text("description"), grammar=_grammar(fields.object("format")))

    def _named(self, choice: Fields) -> str:
        kind = choice.needed_text("type")
        if kind in {"function", "custom"}:
            return self.names.flat(choice.text("namespace"), choice.needed_text("name"))
        return server_name(kind, choice)


def server_name(kind: str, fields: Fields) -> str:
    """What a tool is called that has no name of its own, because the provider runs it; callers are told this name."""
    label = fields.text("server_label")
    return (f"{kind}.{label}" if label else kind)[:LONGEST]


def _grammar(described: Fields | None) -> Grammar | None:
    if described is None or described.text("type") != "grammar":
        return None
    return Grammar(described.needed_text("syntax"), described.needed_text("definition"))


def _mode(fields: Fields, mode: str, name: str = "tool_choice") -> _Mode:
    known = _MODES.get(mode)
    return known or fields.refuse(name, "must be auto, none, required or an object that names a tool")
