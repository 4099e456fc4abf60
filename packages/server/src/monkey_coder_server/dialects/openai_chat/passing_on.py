"""A caller's message on its way to a provider of the same dialect: what the provider takes stays, byte for byte."""

from collections.abc import Iterator, Sequence

import msgspec

from monkey_coder_server.dialects.openai_chat.messages import call_identifier, write_message
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.openai_chat.tools import write_tool, write_tool_choice
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    Message,
    Part,
    Refusal,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

_EMPTY = (b"null", b"[]", b'""')
_SAID = frozenset({"role", "content"})
_OF_FUNCTIONS = ("role", "content", "tool_calls", "tool_call_id", "function_call", "name")


class _Part(msgspec.Struct, gc=False):
    """Every part was read: its type is a string, or absent."""

    type: str | None = None


_NULL = msgspec.Raw(b"null")
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_parts = msgspec.json.Decoder(list[_Part])


def pass_on(
    fields: dict[str, msgspec.Raw], message: Message, quirks: Quirks, pictures: list[Json]
) -> tuple[str, dict[str, Json]]:
    """The message's role, and it itself: only the fields this provider does not take are written anew or left out.

    `message` is the same as it was read. Raises `InvalidRequest` for what the provider cannot be told.
    """
    role = message.role
    if _is_plain(fields, role, quirks):
        return role, fields
    unfit = dict.fromkeys(_unfit(fields, message, quirks))
    if not unfit:
        return role, fields
    written = next(write_message(message, quirks, pictures), {})
    passed: dict[str, Json] = {}
    for name, raw in fields.items():
        if name not in unfit:
            passed[name] = raw
        elif name in written:
            passed[name] = written[name]
    for name in unfit:
        if name not in passed and name in written:
            passed[name] = written[name]
    return role, passed


def _is_plain(fields: dict[str, msgspec.Raw], role: Role, quirks: Quirks) -> bool:
    """Whether a message is nothing but somebody's words, as every provider takes it."""
    if fields.keys() != _SAID or role is Role.TOOL or (role is Role.DEVELOPER and not quirks.developer_role):
        return False
    return bytes(memoryview(fields["content"])[:1]) == b'"'


def _unfit(fields: dict[str, msgspec.Raw], message: Message, quirks: Quirks) -> Iterator[str]:
    """The names of fields to be changed."""
    refused = quirks.refused_in_messages
    yield from (name for name in fields if name in refused)
    if "name" in fields and "name" in quirks.refused:
        yield "name"
    if message.role is Role.DEVELOPER and not quirks.developer_role:
        yield "role"
    if "function_call" in fields or fields["role"] == msgspec.Raw(b'"function"'):
        yield from _OF_FUNCTIONS
    if not _content_fits(fields, message, quirks):
        yield "content"
    if message.role is Role.ASSISTANT:
        yield from _unfit_in_answer(fields, message, quirks)
    elif message.role is Role.TOOL and any(
        isinstance(part, ToolResult) and call_identifier(part.call_id, quirks) != part.call_id for part in message.parts
    ):
        yield "tool_call_id"


def _unfit_in_answer(fields: dict[str, msgspec.Raw], message: Message, quirks: Quirks) -> Iterator[str]:
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if "refusal" in fields and not quirks.refusals:
        yield "refusal"
        if any(isinstance(part, Refusal) for part in message.parts):
            yield "content"
    if ("tool_calls" in fields and not calls) or not all(_call_fits(call, quirks) for call in calls):
        yield "tool_calls"
    back = quirks.replays_reasoning
    thought = calls or any(isinstance(part, Thinking) for part in message.parts)
    if back and thought and bytes(fields.get(back, msgspec.Raw(b"null"))) in _EMPTY:
        yield back


def _call_fits(call: ToolCall, quirks: Quirks) -> bool:
    if call.signature is not None or (call.custom and not quirks.custom_tools):
        return False
    return call_identifier(call.id, quirks) == call.id


def _content_fits(fields: dict[str, msgspec.Raw], message: Message, quirks: Quirks) -> bool:
    content = bytes(fields.get("content", msgspec.Raw(b"null")))
    if not content.startswith(b"["):
        return True
    if b'"cache_control"' in content and any(_marked(part) for part in message.parts):
        return False
    foreign = {"file", "file_url"} - {quirks.documents}
    if not quirks.refusals:
        foreign.add("refusal")
    if message.role is Role.TOOL and not quirks.tool_images:
        foreign.add("image_url")
    return foreign.isdisjoint(part.type for part in _parts.decode(content))


def _marked(part: Part) -> bool:
    """Whether the caller marks a prefix worth caching: chat providers find those themselves."""
    if isinstance(part, ToolResult):
        return part.cache is not None or any(_marked(inner) for inner in part.parts)
    return isinstance(part, Text | Image | Document) and part.cache is not None


def pass_on_tools(given: Sequence[msgspec.Raw], tools: tuple[Tool, ...], quirks: Quirks) -> list[Json]:
    """The caller's tools as they are, where this provider takes them; `tools` are those that may be called.

    Raises `InvalidRequest` for a tool that a provider is to run itself.
    """
    known = {tool.name: tool for tool in tools}
    passed: list[Json] = []
    for raw in given:
        fields = _objects.decode(raw)
        tool = known.get(_name_of(fields))
        if tool is not None:
            passed.append(_pass_on_tool(raw, fields, tool, quirks))
        elif quirks.custom_tools:  # the choice says that it may not be called
            passed.append(raw)
    return passed


def pass_on_choice(given: msgspec.Raw, choice: ToolChoice, tools: tuple[Tool, ...], quirks: Quirks) -> Json:
    """The caller's choice as it is, where this provider understands it."""
    asked = msgspec.json.decode(given)
    among_some = isinstance(asked, dict) and asked.get("type") == "allowed_tools"
    written = write_tool_choice(choice, tools, quirks)
    return given if (quirks.custom_tools and among_some) or _says(asked, written) else written


def _pass_on_tool(raw: msgspec.Raw, fields: dict[str, msgspec.Raw], tool: Tool, quirks: Quirks) -> Json:
    kind = "custom" if tool.schema is None else "function"
    if tool.server is not None or kind not in fields or (kind == "custom" and not quirks.custom_tools):
        return write_tool(tool, quirks)
    if tool.cache is None:
        return raw
    return {name: value for name, value in fields.items() if name != "cache_control"}


def _name_of(fields: dict[str, msgspec.Raw]) -> str:
    """The name under which the tool was read: one the provider runs itself may have none but its type."""
    for kind in ("function", "custom"):
        if fields.get(kind, _NULL) != _NULL:
            fields = _objects.decode(fields[kind])
            break
    named = fields.get("name", _NULL)
    return str(msgspec.json.decode(fields.get("type", _NULL) if named == _NULL else named))


def _says(given: Json, written: Json) -> bool:
    """Whether a value holds all that another does; it may hold more."""
    if isinstance(written, dict):
        return isinstance(given, dict) and all(_says(given.get(name), value) for name, value in written.items())
    return bool(given == written)
