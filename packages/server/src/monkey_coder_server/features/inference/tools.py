"""The functions a caller offers the model, checked; and the calls the model makes of them."""

import re
from collections.abc import Sequence
from typing import Literal

from monkey_coder_protocol.execute import ExecuteRequest, FunctionDefinition, NamedTool, ToolDefinition
from monkey_coder_server.domain.conversation import Tool, ToolCall, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest

MOST_TOOLS = 128
"""OpenAI takes no more in one request (developers.openai.com/api/reference, chat completions, `tools`)."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
"""What every provider accepts: OpenAI 64 characters, Gemini none but a letter or underscore in front."""
_MODES: tuple[Literal["auto", "none", "required"], ...] = ("auto", "none", "required")
_FUNCTION = "function"


def read_tools(sent: ExecuteRequest) -> tuple[Tool, ...]:
    """The offered functions. Raises `InvalidRequest`."""
    offered = sent.tools or ()
    if len(offered) > MOST_TOOLS:
        message = f"The field `tools` holds {len(offered)} tools; at most {MOST_TOOLS} are accepted."
        raise InvalidRequest(message)
    tools = tuple(_tool(f"tools[{place}]", definition) for place, definition in enumerate(offered))
    names = [tool.name for tool in tools]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"The field `tools` names {twice!r} twice; each tool needs a name of its own."
        raise InvalidRequest(message)
    return tools


def read_choice(sent: ExecuteRequest, tools: Sequence[Tool]) -> ToolChoice | None:
    """Which of them the model is to call; None leaves it to the model. Raises `InvalidRequest`."""
    wanted = sent.tool_choice
    if wanted is None:
        return None
    if isinstance(wanted, NamedTool):
        name = wanted.name if wanted.function is None else wanted.function.name
        if name not in {tool.name for tool in tools}:
            message = f"The field `tool_choice` names {(name or '')[:64]!r}, which is not among `tools`."
            raise InvalidRequest(message)
        return ToolChoice("named", name)
    for mode in _MODES:
        if wanted == mode:
            if mode == "required" and not tools:
                raise InvalidRequest("The field `tool_choice` demands a call, but `tools` offers nothing to call.")
            return ToolChoice(mode)
    message = f"The field `tool_choice` must be one of {', '.join(_MODES)} or name a tool; {wanted[:64]!r} was sent."
    raise InvalidRequest(message)


def told_calls(calls: Sequence[ToolCall]) -> list[dict[str, str]]:
    """The model's calls for its caller; `arguments` is JSON text as the model wrote it."""
    return [{"id": call.id, "name": call.name, "arguments": call.arguments or "{}"} for call in calls]


def _tool(place: str, given: ToolDefinition) -> Tool:
    if given.type not in {None, _FUNCTION}:
        message = f"The field `{place}.type` must be {_FUNCTION!r}, but {(given.type or '')[:64]!r} was sent."
        raise InvalidRequest(message)
    function = given.function or FunctionDefinition(given.name or "", given.description, given.parameters, given.strict)
    if _NAME.fullmatch(function.name) is None:
        message = (
            f"The name of `{place}` must be 1 to 64 letters, digits, underscores and hyphens, and not begin with a "
            f"digit or a hyphen; {function.name[:64]!r} was sent."
        )
        raise InvalidRequest(message)
    schema = {"type": "object", "properties": {}} if function.parameters is None else function.parameters
    return Tool(function.name, function.description, schema, function.strict)
