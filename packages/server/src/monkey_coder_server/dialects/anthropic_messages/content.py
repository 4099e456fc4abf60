"""Writes conversation parts as content blocks."""

import re
import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable
from typing import TypeAlias

from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.wire import parse_json
from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Json,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest

Block: TypeAlias = dict[str, Json]

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_IMAGE_BEGINNINGS = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lGO": "image/gif", "UklGR": "image/webp"}
_DATA_URL = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL)
_NOT_IN_IDENTIFIERS = re.compile(r"[^a-zA-Z0-9_-]")


def user_blocks(parts: Iterable[Part]) -> list[Block]:
    """Blocks a user or tool turn may hold. Blank texts are left out: the API refuses them."""
    return [block for part in parts if (block := _user_block(part)) is not None]


def assistant_blocks(parts: Iterable[Part], *, provider: str) -> list[Block]:
    """Blocks of an assistant turn; thinking is replayed only to the provider that signed it."""
    return [block for part in parts if (block := _assistant_block(part, provider)) is not None]


def text_block(part: Text) -> Block | None:
    """A text block, or None for blank text."""
    return _hinted({"type": "text", "text": part.text}, part.cache) if part.text.strip() else None


def cache_control(hint: CacheHint) -> Block:
    """The mark that ends a prefix worth caching; five minutes are the API's default."""
    return {"type": "ephemeral"} if hint.ttl == "5m" else {"type": "ephemeral", "ttl": hint.ttl}


def call_identifier(identifier: str) -> str:
    """A call id in the alphabet Anthropic accepts; another provider's id is rewritten the same way each time."""
    safe = _NOT_IN_IDENTIFIERS.sub("_", identifier)
    if safe == identifier and safe:
        return identifier
    return f"{safe}_{zlib.crc32(identifier.encode()):08x}"


def _user_block(part: Part) -> Block | None:
    match part:
        case Text():
            return text_block(part)
        case Image():
            return _hinted({"type": "image", "source": _image_source(part)}, part.cache)
        case Document():
            return _document(part)
        case ToolResult():
            return _tool_result(part)
        case Unknown(dialect, raw):
            return dict(raw) if dialect == DIALECT and isinstance(raw, dict) else None
        case ToolCall():
            sentence = "A tool call stands in a user message; only an assistant message may hold one."
            raise InvalidRequest(sentence)
        case Thinking() | Refusal():
            return None


def _assistant_block(part: Part, provider: str) -> Block | None:
    match part:
        case Text():
            return text_block(part)
        case ToolCall():
            called = {"type": "tool_use", "id": call_identifier(part.id), "name": part.name, "input": _input(part)}
            return _hinted(called, part.cache)
        case Thinking():
            return _thinking(part, provider)
        case Refusal(text):
            return text_block(Text(text))
        case Unknown(dialect, raw):
            return dict(raw) if dialect == DIALECT and isinstance(raw, dict) else None
        case Image() | Document():
            sentence = "Claude models take images and documents in user messages only, not in assistant ones."
            raise InvalidRequest(sentence)
        case ToolResult():
            sentence = "A tool result stands in an assistant message; send it in a tool or user message."
            raise InvalidRequest(sentence)


def _thinking(part: Thinking, provider: str) -> Block | None:
    if part.origin != provider:
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.redacted}
    if part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    return None


def _input(call: ToolCall) -> Block:
    if call.custom:
        return {"input": call.arguments}
    parsed = parse_json(call.arguments or "{}")
    return parsed if isinstance(parsed, dict) else {"unparsed_arguments": call.arguments}


def _tool_result(part: ToolResult) -> Block:
    result: Block = {"type": "tool_result", "tool_use_id": call_identifier(part.call_id)}
    inner = user_blocks(part.parts)
    if len(inner) == 1 and inner[0].keys() == {"type", "text"}:
        result["content"] = inner[0]["text"]
    elif inner:
        result["content"] = inner
    if part.is_error:
        result["is_error"] = True
    return _hinted(result, part.cache)


def _image_source(part: Image) -> Block:
    data, media_type = part.data, part.media_type
    if part.url is not None:
        embedded = _DATA_URL.fullmatch(part.url)
        if embedded is None:
            return {"type": "url", "url": part.url}
        media_type, data = embedded.group(1) or media_type, embedded.group(2)
    if data is None:
        sentence = "An image needs a URL or base64 data."
        raise InvalidRequest(sentence)
    media_type = media_type or next((kind for start, kind in _IMAGE_BEGINNINGS.items() if data.startswith(start)), None)
    if media_type not in _IMAGE_TYPES:
        sentence = f"Claude models read JPEG, PNG, GIF and WebP images, not {media_type or 'this one'}."
        raise InvalidRequest(sentence)
    return {"type": "base64", "media_type": media_type, "data": data}


def _document(part: Document) -> Block:
    block: Block = {"type": "document", "source": _document_source(part)}
    if part.name:
        block["title"] = part.name
    return _hinted(block, part.cache)


def _document_source(part: Document) -> Block:
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    if part.data is None:
        sentence = "A document needs text, base64 data, a URL or a file id."
        raise InvalidRequest(sentence)
    media_type = part.media_type or "application/pdf"
    if media_type == "application/pdf":
        return {"type": "base64", "media_type": media_type, "data": part.data}
    if media_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _plain_text(part.data)}
    sentence = f"Claude models read PDF and plain text documents, not {media_type}."
    raise InvalidRequest(sentence)


def _plain_text(data: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except (NotBase64, UnicodeError, ValueError):
        sentence = "A text document's data is not base64 of UTF-8 text."
        raise InvalidRequest(sentence) from None


def _hinted(block: Block, hint: CacheHint | None) -> Block:
    if hint is not None:
        block["cache_control"] = cache_control(hint)
    return block
