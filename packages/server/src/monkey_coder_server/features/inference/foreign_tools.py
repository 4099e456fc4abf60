"""Tools a provider runs itself, where another provider answers: left out and named, unless insisted on."""

from dataclasses import replace

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest

PREFIX = "tools."


def without_foreign_tools(request: ModelRequest, dialect: str) -> tuple[ModelRequest, tuple[str, ...]]:
    """The request as a provider of this dialect can be asked it, and the names of what is left out.

    Raises `InvalidRequest` when the caller asked for no tool but such a one.
    """
    foreign = [tool for tool in request.tools if tool.server is not None and tool.dialect != dialect]
    if not foreign:
        return request, ()
    names = tuple(dict.fromkeys(tool.name for tool in foreign))
    kept = tuple(tool for tool in request.tools if tool.server is None or tool.dialect == dialect)
    choice = request.tool_choice
    if choice is not None and (choice.name in names or (choice.mode == "required" and not kept)):
        message = f"This model cannot use the tool {choice.name or names[0]!r}: another provider runs it."
        raise InvalidRequest(message)
    left = replace(request, tools=kept, tool_choice=choice if kept else None)
    return left, tuple(f"{PREFIX}{name}" for name in names)
