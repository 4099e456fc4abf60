"""The frames of a chat answer, typed for speed: what we never read is skipped without being built.

A frame whose fields have unexpected types is read again piece by piece, keeping what is well formed.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from monkey_coder_server.dialects.wire import UNREADABLE, as_list, as_object, as_text, parse_json
from monkey_coder_server.domain.conversation import Json

NOTHING = Raw()


class Function(Struct, gc=False):
    """The function of a call; `arguments` is a piece of JSON text."""

    name: str | None = None
    arguments: str | None = None


class Custom(Struct, gc=False):
    """A free-form tool's call; `input` is a piece of its text."""

    name: str | None = None
    input: str | None = None


class Call(Struct, gc=False):
    """A tool call or a piece of one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None


class Delta(Struct, gc=False):
    """What a frame adds to the message. Two names are in use for reasoning text."""

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    annotations: Raw = NOTHING
    executed_tools: Raw = NOTHING


class Choice(Struct, gc=False):
    """One alternative; Moonshot reports the usage of a stream in here."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    usage: Raw = NOTHING


class WholeChoice(Struct, gc=False):
    """One alternative of an answer that is not streamed: its `message` is read like one large delta."""

    index: int | None = None
    delta: Delta | None = field(default=None, name="message")
    finish_reason: str | None = None
    usage: Raw = NOTHING


class XGroq(Struct, gc=False):
    """Groq's own corner, the only place of usage in some streams; `error` says why a stream stopped early."""

    usage: Raw = NOTHING
    error: str | None = None


class Frame(Struct, gc=False):
    """A streamed chunk."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Raw = NOTHING
    x_groq: XGroq | None = None
    citations: Raw = NOTHING
    search_results: Raw = NOTHING
    error: Raw = NOTHING


class WholeFrame(Struct, gc=False):
    """A whole answer."""

    id: str | None = None
    model: str | None = None
    choices: list[WholeChoice] | None = None
    usage: Raw = NOTHING
    x_groq: XGroq | None = None
    citations: Raw = NOTHING
    search_results: Raw = NOTHING
    error: Raw = NOTHING


_frame = msgspec.json.Decoder(Frame)
_whole_frame = msgspec.json.Decoder(WholeFrame)


def read_frame(data: str) -> Frame | None:
    """A streamed frame; None when it is not JSON."""
    try:
        return _frame.decode(data)
    except msgspec.ValidationError:
        return _salvage(parse_json(data), "delta")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def read_whole(body: bytes) -> Frame | WholeFrame | None:
    """A whole answer; None when it is not a JSON object."""
    try:
        return _whole_frame.decode(body)
    except msgspec.ValidationError:
        value = parse_json(body)
        return _salvage(value, "message") if isinstance(value, dict) else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def json_of(raw: Raw) -> Json:
    """The value of a raw piece; None when it is absent or null."""
    if not raw:
        return None
    value = parse_json(bytes(raw))
    return None if value is UNREADABLE else value


def _salvage(value: Json, message: str) -> Frame | None:
    if value is UNREADABLE:
        return None
    frame = as_object(value)
    return Frame(
        id=as_text(frame.get("id")),
        model=as_text(frame.get("model")),
        choices=[_salvage_choice(as_object(choice), message) for choice in as_list(frame.get("choices"))],
        usage=_raw(frame, "usage"),
        x_groq=_salvage_corner(as_object(frame.get("x_groq"))),
        citations=_raw(frame, "citations"),
        search_results=_raw(frame, "search_results"),
        error=_raw(frame, "error"),
    )


def _salvage_corner(corner: dict[str, Json]) -> XGroq:
    return XGroq(usage=_raw(corner, "usage"), error=as_text(corner.get("error")))


def _salvage_choice(choice: dict[str, Json], message: str) -> Choice:
    delta = as_object(choice.get(message))
    return Choice(
        index=_index(choice.get("index")),
        delta=Delta(
            content=_words(delta.get("content")),
            reasoning=as_text(delta.get("reasoning")),
            reasoning_content=as_text(delta.get("reasoning_content")),
            refusal=as_text(delta.get("refusal")),
            tool_calls=[_salvage_call(as_object(call)) for call in as_list(delta.get("tool_calls"))],
            annotations=_raw(delta, "annotations"),
            executed_tools=_raw(delta, "executed_tools"),
        ),
        finish_reason=as_text(choice.get("finish_reason")),
        usage=_raw(choice, "usage"),
    )


def _salvage_call(call: dict[str, Json]) -> Call:
    function, custom = as_object(call.get("function")), as_object(call.get("custom"))
    number = call.get("id")
    return Call(
        index=_index(call.get("index")),
        id=str(number) if isinstance(number, int) else as_text(number),
        function=Function(as_text(function.get("name")), _arguments(function.get("arguments"))) if function else None,
        custom=Custom(as_text(custom.get("name")), as_text(custom.get("input"))) if custom else None,
    )


def _words(content: Json) -> str | None:
    """Text given as a string or, by some servers, as a list of text parts."""
    if isinstance(content, list):
        return "".join(as_text(as_object(part).get("text")) or "" for part in content)
    return as_text(content)


def _arguments(value: Json) -> str | None:
    """Arguments as JSON text, also where a server sent the object itself."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else as_text(value)


def _index(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _raw(owner: dict[str, Json], name: str) -> Raw:
    value = owner.get(name)
    return NOTHING if value is None else Raw(msgspec.json.encode(value))
