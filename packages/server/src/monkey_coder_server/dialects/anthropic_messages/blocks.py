"""Content blocks of an answer, whole or growing: the one place where a block becomes events."""

from dataclasses import dataclass, field

from monkey_coder_server.dialects.wire import UNREADABLE, as_list, as_object, as_text, parse_json, write_json
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)


@dataclass(slots=True)
class OpenBlock:
    """A block between its start and its stop. `call` numbers a tool call; `grown` holds fragments to be joined."""

    type: str
    raw: dict[str, Json]
    call: int | None = None
    signature: str | None = None
    called_with: bool = False
    grown: list[str] = field(default_factory=list)


def open_block(raw: dict[str, Json], next_call: int, events: list[Event]) -> OpenBlock:
    """Begin a block and say what its first record already holds; `next_call` is the number of a new tool call."""
    block = OpenBlock(as_text(raw.get("type")) or "unknown", raw)
    match block.type:
        case "text":
            if text := as_text(raw.get("text")):
                events.append(TextDelta(text))
            events.extend(Cited(citation_of(as_object(each))) for each in as_list(raw.get("citations")))
        case "thinking":
            if text := as_text(raw.get("thinking")):
                events.append(ThinkingDelta(text))
            block.signature = as_text(raw.get("signature")) or None
        case "tool_use":
            block.call = next_call
            identifier = as_text(raw.get("id")) or f"toolu_{next_call}"
            events.append(ToolCallOpened(next_call, identifier, as_text(raw.get("name")) or ""))
    return block


def close_block(block: OpenBlock, events: list[Event]) -> None:
    """End a block: signature, complete arguments, or the provider's own item."""
    match block.type:
        case "text":
            return
        case "thinking":
            events.append(ThinkingClosed(signature=block.signature))
        case "redacted_thinking":
            events.append(ThinkingClosed(redacted=as_text(block.raw.get("data")) or ""))
        case "tool_use":
            _close_call(block, events)
        case _:
            _close_item(block, events)


def citation_of(raw: dict[str, Json]) -> Citation:
    """A web, document or search-result location."""
    title = as_text(raw.get("title")) or as_text(raw.get("document_title"))
    source = as_text(raw.get("url")) or as_text(raw.get("source"))
    return Citation(url=source, title=title, quoted=as_text(raw.get("cited_text")), raw=raw)


def _close_call(block: OpenBlock, events: list[Event]) -> None:
    if block.call is None:
        return
    if not block.called_with:
        arguments = write_json(as_object(block.raw.get("input"))).decode()
        events.append(ToolCallDelta(block.call, arguments))
    events.append(ToolCallClosed(block.call))


def _close_item(block: OpenBlock, events: list[Event]) -> None:
    if block.grown:
        grown = "".join(block.grown)
        if block.type == "compaction":
            block.raw["content"] = (as_text(block.raw.get("content")) or "") + grown
        else:
            parsed = parse_json(grown)
            block.raw["input"] = grown if parsed is UNREADABLE else parsed
    events.append(ServerItem(block.type, block.raw))
