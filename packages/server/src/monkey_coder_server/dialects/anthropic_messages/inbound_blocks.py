"""Reads content blocks as callers write them into conversation parts. What no neutral part can hold stays `Unknown`."""

from collections.abc import Callable, Iterator
from typing import Any

from monkey_coder_server.dialects.anthropic_messages.blocks import citation_of
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.anthropic_messages.sealed import unseal, unseal_data
from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.wire import as_list, as_object, write_json
from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Json,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)

_PLAIN_TEXT = "text/plain"
_LOST_OF_DOCUMENTS = ("citations", "context")


def read_content(owner: Fields, lost: dict[str, None]) -> tuple[Part, ...]:
    """The parts of a message's or result's `content`: a string, or blocks. `lost` gathers what cannot be kept."""
    content = owner.raw.get("content")
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_parts(owner, lost))


def cache_hint(block: Fields) -> CacheHint | None:
    """The block's cache mark."""
    mark = block.object("cache_control")
    if mark is None:
        return None
    return CacheHint("1h" if mark.raw.get("ttl") == "1h" else "5m")


def _parts(owner: Fields, lost: dict[str, None]) -> Iterator[Part]:
    """Parts in order; a block that holds the signature of the next call is laid upon that call."""
    proof: tuple[str, str] | None = None
    for block in owner.objects("content"):
        if block.raw.get("type") == "redacted_thinking":
            origin, data, of_next = unseal_data(block.needed_text("data"))
            if of_next:
                proof = origin, data
            else:
                yield Thinking("", redacted=data, origin=origin)
            continue
        part = _part(block, lost)
        if proof is not None and isinstance(part, ToolCall):
            origin, data = proof
            part = ToolCall(part.id, part.name, part.arguments, signature=data, origin=origin, cache=part.cache)
            proof = None
        yield part


def _part(block: Fields, lost: dict[str, None]) -> Part:
    kind = block.needed_text("type")
    read = _READERS.get(kind)
    if read is None:
        lost[kind] = None
        return Unknown(DIALECT, block.raw)
    return read(block, lost)


def _text(block: Fields, _lost: dict[str, None]) -> Text:
    sources = tuple(citation_of(as_object(each)) for each in block.items("citations"))
    return Text(block.needed_text("text"), cache_hint(block), sources)


def _source(block: Fields) -> Fields:
    source = block.object("source")
    if source is None:
        block.refuse("source", "is missing")
    return source


def _image(block: Fields, lost: dict[str, None]) -> Part:
    source = _source(block)
    match source.needed_text("type"):
        case "base64":
            data, media_type = source.needed_text("data"), source.text("media_type")
            return Image(data=data, media_type=media_type, cache=cache_hint(block))
        case "url":
            return Image(url=source.needed_text("url"), cache=cache_hint(block))
        case kind:
            lost[f"image.source.{kind}"] = None
            return Unknown(DIALECT, block.raw)


def _document(block: Fields, lost: dict[str, None]) -> Part:
    lost |= {f"document.{name}": None for name in _LOST_OF_DOCUMENTS if block.raw.get(name)}
    source, name = _source(block), block.text("title")
    kept: dict[str, Any] = {"name": name, "cache": cache_hint(block)}
    match source.needed_text("type"):
        case "base64":
            return Document(data=source.needed_text("data"), media_type=source.text("media_type"), **kept)
        case "text":
            return Document(text=source.needed_text("data"), media_type=_PLAIN_TEXT, **kept)
        case "url":
            return Document(url=source.needed_text("url"), **kept)
        case "file":
            return Document(file_id=source.needed_text("file_id"), **kept)
        case "content" if (text := _said(source.raw.get("content"))) is not None:
            return Document(text=text, media_type=_PLAIN_TEXT, **kept)
        case kind:
            lost[f"document.source.{kind}"] = None
            return Unknown(DIALECT, block.raw)


def _search_result(block: Fields, _lost: dict[str, None]) -> Document:
    """A search result as a text document that is named after its title and source."""
    named = f"{block.text('title') or ''} ({block.text('source') or ''})"
    return Document(named, text=_said(block.items("content")) or "", media_type=_PLAIN_TEXT, cache=cache_hint(block))


def _said(content: Json) -> str | None:
    """The text of a string or of text blocks; None when there is anything but text."""
    if isinstance(content, str):
        return content
    blocks = [as_object(each) for each in as_list(content)]
    texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
    return "\n".join(texts) if len(texts) == len(blocks) else None


def _call(block: Fields, _lost: dict[str, None]) -> ToolCall:
    called = block.object("input")
    arguments = write_json({} if called is None else called.raw).decode()
    return ToolCall(block.needed_text("id"), block.needed_text("name"), arguments, cache=cache_hint(block))


def _result(block: Fields, lost: dict[str, None]) -> ToolResult:
    parts = [part for part in read_content(block, lost) if isinstance(part, Text | Image | Document | Unknown)]
    failed = block.flag("is_error") or False
    return ToolResult(block.needed_text("tool_use_id"), tuple(parts), is_error=failed, cache=cache_hint(block))


def _thinking(block: Fields, _lost: dict[str, None]) -> Thinking:
    """A thought with its signature; one that never had any says only where it came from."""
    text, given = block.needed_text("thinking"), block.text("signature")
    if not given:
        return Thinking(text)
    origin, signature = unseal(given)
    return Thinking(text, signature=signature or None, origin=origin)


_READERS: dict[str, Callable[[Fields, dict[str, None]], Part]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_use": _call,
    "tool_result": _result,
    "thinking": _thinking,
}
