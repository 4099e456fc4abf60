"""Reads tools, tool choice, thinking and output format as callers write them."""

from typing import Literal

from monkey_coder_server.dialects.anthropic_messages.inbound_blocks import cache_hint
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.domain.conversation import Json, OutputFormat, Reasoning, Tool, ToolChoice

_FUNCTION = "custom"
_KEPT = frozenset({"type", "name", "description", "input_schema", "strict", "cache_control"})
_MODES: dict[str, Literal["auto", "none", "required", "named"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "named",
    "none": "none",
}
_RUN_BY_CALLER = ("bash_", "text_editor_", "memory_", "computer_", "browser_")
"""Tools Anthropic defines and the caller runs (platform.claude.com, tool use overview)."""


def read_tool(tool: Fields, lost: dict[str, None]) -> Tool:
    """One entry of `tools`; what is not a function of the caller's stays as it came."""
    kind = tool.text("type") or _FUNCTION
    if kind != _FUNCTION:
        by_caller = kind.startswith(_RUN_BY_CALLER)
        return Tool(tool.text("name") or kind, server=tool.raw, dialect=DIALECT, run_by_caller=by_caller)
    lost |= {f"tools.{name}": None for name in tool.raw if name not in _KEPT}
    schema = tool.object("input_schema")
    if schema is None:
        tool.refuse("input_schema", "is missing")
    name, description = tool.needed_text("name"), tool.text("description")
    return Tool(name, description, schema.raw, tool.flag("strict"), cache_hint(tool))


def read_tool_choice(choice: Fields | None) -> ToolChoice | None:
    """`tool_choice`."""
    if choice is None:
        return None
    parallel = False if choice.flag("disable_parallel_tool_use") else None
    mode = _MODES.get(choice.needed_text("type"))
    if mode is None:
        choice.refuse("type", f"must be one of {', '.join(_MODES)}")
    return ToolChoice(mode, choice.needed_text("name") if mode == "named" else None, parallel)


def read_reasoning(thinking: Fields | None, effort: str | None) -> Reasoning | None:
    """`thinking` and `output_config.effort`; an effort alone asks for so much thinking where a model can think."""
    if thinking is None:
        return None if effort is None else Reasoning(effort=effort)
    shown = thinking.text("display") != "omitted"
    match thinking.needed_text("type"):
        case "disabled" | "between_tools":
            return Reasoning(enabled=False, effort=effort)
        case "enabled":
            budget = thinking.whole("budget_tokens", least=0)
            return Reasoning(effort=effort, budget_tokens=budget, include_text=shown)
        case _:
            return Reasoning(effort=effort, include_text=shown)


def read_output_format(output: Fields | None) -> OutputFormat | None:
    """`output_config.format`, in older betas `output_format`."""
    if output is None or output.raw.get("type") != "json_schema":
        return None
    schema = output.object("schema")
    return OutputFormat("json_schema", None if schema is None else schema.raw)


def inline_definition(block: Json) -> Json:
    """The definition of a tool that a block in mid-conversation adds; None for any other block."""
    if not isinstance(block, dict) or block.get("type") != "tool_addition":
        return None
    added = block.get("tool")
    return added.get("definition") if isinstance(added, dict) else None
