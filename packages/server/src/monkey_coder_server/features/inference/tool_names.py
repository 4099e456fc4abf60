"""Tool names that only some providers take: written so that all do, and the caller's own again in the answer.

Anthropic takes 128 characters (tools of MCP servers need them), Google dots and colons; OpenAI neither
(developers.openai.com/api/reference, chat completions, `tools`). A name is rewritten the same way each time, so that
turns that follow begin with the same bytes.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from monkey_coder_server.domain.conversation import Message, ModelRequest, Part, Tool, ToolCall, ToolResult
from monkey_coder_server.domain.stream_events import Event, ToolCallOpened
from monkey_coder_server.ports.provider import StreamDecoder

_TAKEN_BY_ALL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_KEPT = 54
_AS_THEY_ARE: Mapping[str, str] = MappingProxyType({})


def with_safe_names(request: ModelRequest) -> tuple[ModelRequest, Mapping[str, str]]:
    """The request as every provider takes it, and the caller's names by those that are sent in their place."""
    odd = {tool.name for tool in request.tools if tool.server is None and _TAKEN_BY_ALL.fullmatch(tool.name) is None}
    if not odd:
        return request, _AS_THEY_ARE
    safe = {name: _safe(name) for name in odd}
    choice = request.tool_choice
    sent = replace(
        request,
        tools=tuple(_tool(tool, safe) for tool in request.tools),
        tool_choice=choice and replace(choice, name=safe.get(choice.name or "", choice.name)),
        messages=tuple(_message(message, safe) for message in request.messages),
    )
    return sent, {written: name for name, written in safe.items()}


def named_back(events: Iterable[Event], names: Mapping[str, str]) -> Sequence[Event]:
    """An answer's events with the caller's own names."""
    return [_back(event, names) if isinstance(event, ToolCallOpened) else event for event in events]


class NamingBack:
    """A stream's decoder that gives the caller's own names."""

    def __init__(self, decoder: StreamDecoder, names: Mapping[str, str]) -> None:
        self._decoder = decoder
        self._names = names

    def feed(self, piece: bytes) -> Sequence[Event]:
        """As the decoder."""
        return named_back(self._decoder.feed(piece), self._names)

    def finish(self) -> Sequence[Event]:
        """As the decoder."""
        return named_back(self._decoder.finish(), self._names)


def _safe(name: str) -> str:
    letters = _NOT_IN_NAMES.sub("_", name)[:_KEPT]
    first = "" if letters[:1].isalpha() else "_"
    return f"{first}{letters}_{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"


def _back(event: ToolCallOpened, names: Mapping[str, str]) -> ToolCallOpened:
    return replace(event, name=names[event.name]) if event.name in names else event


def _tool(tool: Tool, safe: Mapping[str, str]) -> Tool:
    return replace(tool, name=safe[tool.name]) if tool.name in safe else tool


def _message(message: Message, safe: Mapping[str, str]) -> Message:
    if not any(isinstance(part, ToolCall | ToolResult) and part.name in safe for part in message.parts):
        return message
    return replace(message, parts=tuple(_part(part, safe) for part in message.parts))


def _part(part: Part, safe: Mapping[str, str]) -> Part:
    if isinstance(part, ToolCall | ToolResult) and part.name in safe:
        return replace(part, name=safe[part.name or ""])
    return part
