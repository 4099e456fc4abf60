"""Reads messages as callers write them: one neutral message for each."""

import re
from collections.abc import Iterator

from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.openai_chat.inbound_tools import read_cache_hint
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.dialects.seals import unseal
from monkey_coder_server.dialects.wire import as_object, as_text, write_json
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
    ToolCall,
    ToolResult,
    Unknown,
)

HOME = "openai"
"""The provider whose proofs of thought stand bare in this dialect."""
HOME_OF_CALLS = "google"
"""The same for `extra_content.google` of a call, which is Google's own addition to the dialect."""

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_READ = frozenset(
    {
        "role",
        "content",
        "name",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "refusal",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "cache_control",
    }
)
_DATA_URL = re.compile(r"data:([^;,]*)[^,]*;base64,(.*)", re.DOTALL)


def read_messages(fields: Fields, lost: dict[str, None]) -> tuple[Message, ...]:
    """The messages of a request; what no neutral word says is noted in `lost`."""
    given = fields.items("messages")
    if not given:
        fields.refuse("messages", "must hold at least one message")
    reader = _Reader(lost)
    return tuple([_plain(raw) or reader.read(Fields(raw, f"messages[{number}]")) for number, raw in enumerate(given)])


def _plain(raw: Json) -> Message | None:
    """The usual message, nothing but words, read at a glance; None for any other."""
    if isinstance(raw, dict) and len(raw) == 2:
        said, given = raw.get("content"), raw.get("role")
        if isinstance(said, str) and said and isinstance(given, str):
            role = _ROLES.get(given)
            if role is not None and role is not Role.TOOL:
                return Message(role, (Text(said),))
    return None


class _Reader:
    """`called` is the id of the last call that was made without one (`function_call`)."""

    def __init__(self, lost: dict[str, None]) -> None:
        self._lost = lost
        self._called = ""

    def read(self, message: Fields) -> Message:
        given = message.needed_text("role")
        role = _ROLES.get(given)
        if role is None:
            message.refuse("role", f"must be one of {', '.join(_ROLES)}")
        parts: Iterator[Part]
        if role is Role.ASSISTANT:
            parts = self._answer(message)
        elif role is Role.TOOL:
            parts = iter([self._result(message, by_name=given == "function")])
        else:
            parts = self._content(message)
        extra = {name: value for name, value in message.raw.items() if name not in _READ}
        return Message(role, tuple(parts), message.text("name"), extra)

    def _answer(self, message: Fields) -> Iterator[Part]:
        yield from _thoughts(message)
        yield from (part for part in self._content(message) if part != Text(""))
        refusal = message.text("refusal")
        if refusal:
            yield Refusal(refusal)
        for number, call in enumerate(message.objects("tool_calls")):
            yield _call(call, number)
        function_call = message.object("function_call")
        if function_call is not None:
            self._called = f"call_{message.place.removeprefix('messages[').removesuffix(']')}"
            yield ToolCall(self._called, function_call.needed_text("name"), _arguments(function_call, "arguments"))

    def _result(self, message: Fields, *, by_name: bool) -> ToolResult:
        call_id = self._called if by_name else message.needed_text("tool_call_id")
        parts = tuple(Text(part.text) if isinstance(part, Refusal) else part for part in self._content(message))
        return ToolResult(call_id, parts, message.text("name"))

    def _content(self, message: Fields) -> Iterator[Text | Image | Document | Refusal | Unknown]:
        content = message.raw.get("content")
        if isinstance(content, str):
            yield Text(content, read_cache_hint(message))
        elif content is not None:
            if not isinstance(content, list):
                message.refuse("content", "must be a string or an array of parts")
            for part in message.objects("content"):
                yield self._part(part)

    def _part(self, part: Fields) -> Text | Image | Document | Refusal | Unknown:
        kind = part.text("type")
        match kind:
            case "text":
                return Text(part.needed_text("text"), read_cache_hint(part))
            case "image_url":
                return _image(part)
            case "file":
                return _file(part)
            case "file_url":
                return _file_url(part)
            case "refusal":
                return Refusal(part.needed_text("refusal"))
        self._lost[f"messages.{kind or 'content'}"] = None
        return Unknown(DIALECT, part.raw)


def _thoughts(message: Fields) -> Iterator[Thinking]:
    """Reasoning given back: with its proofs where it has any, else as plain text."""
    found = [thought for each in message.items("reasoning_details") if (thought := _thought(as_object(each)))]
    if found:
        yield from found
        return
    text = message.text("reasoning_content") or message.text("reasoning")
    if text:
        yield Thinking(text)


def _thought(detail: dict[str, object]) -> Thinking | None:
    match detail.get("type"):
        case "reasoning.text":
            text, signature = as_text(detail.get("text")) or "", as_text(detail.get("signature"))
            if signature:
                origin, proof = unseal(signature, home=HOME)
                return Thinking(text, signature=proof, origin=origin)
            return Thinking(text) if text else None
        case "reasoning.summary":
            summary = as_text(detail.get("summary"))
            return Thinking(summary) if summary else None
        case "reasoning.encrypted":
            data = as_text(detail.get("data"))
            if data:
                origin, proof = unseal(data, home=HOME)
                return Thinking("", redacted=proof, origin=origin)
    return None


def _call(call: Fields, number: int) -> ToolCall:
    identifier = call.text("id") or f"call_{number}"
    given = as_text(as_object(as_object(call.raw.get("extra_content")).get("google")).get("thought_signature"))
    origin, signature = unseal(given, home=HOME_OF_CALLS) if given else (None, None)
    custom = call.object("custom")
    if custom is not None:
        arguments = custom.text("input") or ""
        return ToolCall(identifier, custom.needed_text("name"), arguments, True, signature, origin)  # noqa: FBT003 - custom
    function = call.needed_object("function")
    arguments = _arguments(function, "arguments")
    return ToolCall(identifier, function.needed_text("name"), arguments, signature=signature, origin=origin)


def _arguments(function: Fields, name: str) -> str:
    """Arguments as JSON text, also where a client gives the object itself."""
    value = function.raw.get(name)
    return write_json(value).decode() if isinstance(value, dict) else function.text(name) or ""


def _image(part: Fields) -> Image:
    shown = part.raw.get("image_url")
    if isinstance(shown, str):
        url, detail = shown, None
    else:
        described = part.needed_object("image_url")
        url, detail = described.needed_text("url"), described.text("detail")
    cache = read_cache_hint(part)
    embedded = _DATA_URL.fullmatch(url)
    if embedded is None:
        return Image(url=url, detail=detail, cache=cache)
    return Image(data=embedded[2], media_type=embedded[1] or None, detail=detail, cache=cache)


def _file(part: Fields) -> Document:
    file = part.needed_object("file")
    name, data, cache = file.text("filename"), file.text("file_data"), read_cache_hint(part)
    if data is None:
        return Document(name, file_id=file.needed_text("file_id"), cache=cache)
    embedded = _DATA_URL.fullmatch(data)
    if embedded is None:
        return Document(name, data=data, cache=cache)
    return Document(name, data=embedded[2], media_type=embedded[1] or None, cache=cache)


def _file_url(part: Fields) -> Document:
    """Perplexity's part: an address, or base64 without a word of what it is."""
    described = part.needed_object("file_url")
    url, name = described.needed_text("url"), part.text("file_name")
    if url.startswith(("http:", "https:")):
        return Document(name, url=url)
    return Document(name, data=url)
