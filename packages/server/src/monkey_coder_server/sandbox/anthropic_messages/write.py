"""Messages answers: whole, and as server-sent events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from monkey_coder_server.sandbox.exchange import Frame, Usage
from monkey_coder_server.sandbox.identifiers import Identifiers, base62
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}
_FRAGMENT = 16
"""Characters of tool input one event carries."""


def message_id(served: Served) -> str:
    """The id of the answer."""
    return f"msg_01{base62(served.number, 22)}"


def document(served: Served, identifiers: Identifiers) -> dict[str, Any]:
    """The whole answer."""
    body: dict[str, Any] = {
        "model": served.card.served_as,
        "id": message_id(served),
        "type": "message",
        "role": "assistant",
        "content": _content(served, identifiers),
        "stop_reason": _STOP_REASONS[served.reply.finish],
        "stop_sequence": served.reply.stop_sequence,
        "stop_details": None,
    }
    if served.reported is not None:
        body["usage"] = _usage(served.reported, served.reported.output + served.reported.reasoning)
    return body


def _usage(usage: Usage, output: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.uncached,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }


def _content(served: Served, identifiers: Identifiers) -> list[dict[str, Any]]:
    reply = served.reply
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        shown = _shown_thinking(served)
        signature = identifiers.signature(served.number, shown)
        content.append({"type": "thinking", "thinking": shown, "signature": signature})
    if reply.text or reply.refusal:
        content.append({"type": "text", "text": reply.text or reply.refusal})
    content.extend(
        {"type": "tool_use", "id": _tool_id(served, index), "name": call.name, "input": call.arguments}
        for index, call in enumerate(reply.tool_calls)
    )
    return content


def _shown_thinking(served: Served) -> str:
    return served.reply.reasoning if served.ask.show_reasoning else ""


def _tool_id(served: Served, index: int) -> str:
    return f"toolu_01{base62(served.number >> (index + 7), 22)}"


def frames(served: Served, identifiers: Identifiers) -> Iterator[Frame]:
    """The events of a streamed answer."""
    start: dict[str, Any] = {
        "model": served.card.served_as,
        "id": message_id(served),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }
    if served.reported is not None:
        start["usage"] = _usage(served.reported, min(served.reported.output + served.reported.reasoning, 1))
    yield Frame(_event("message_start", {"message": start}), 0)
    for index, block in enumerate(_content(served, identifiers)):
        yield from _block(served, index, block)
    output = served.reply.output_tokens
    ending: dict[str, Any] = {
        "delta": {"stop_reason": _STOP_REASONS[served.reply.finish], "stop_sequence": served.reply.stop_sequence}
    }
    if served.reported is not None:
        usage = _usage(served.reported, served.reported.output + served.reported.reasoning)
        ending["usage"] = {
            key: usage[key]
            for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        }
    yield Frame(_event("message_delta", ending), output)
    yield Frame(_event("message_stop", {}), output)


def _event(name: str, fields: dict[str, Any]) -> bytes:
    """One event; the API pads its JSON with blanks before the last brace."""
    data = _ENCODER.encode({"type": name, **fields})
    return b"event: %b\ndata: %b%b}\n\n" % (name.encode(), data[:-1], b" " * (len(data) * 7 % 16))


def _block(served: Served, index: int, block: dict[str, Any]) -> Iterator[Frame]:
    kind = block["type"]
    before = 0 if kind == "thinking" else served.reply.reasoning_tokens
    opening: dict[str, Any] = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}}.get(kind, {})
    if kind == "tool_use":
        opening = {"id": block["id"], "name": block["name"], "input": {}}
    yield Frame(_event("content_block_start", {"index": index, "content_block": {"type": kind, **opening}}), before)
    if index == 0:
        yield Frame(b'event: ping\ndata: {"type": "ping"}\n\n', before)
    generated = before
    for delta, generated in _deltas(served, block, before):
        yield Frame(_event("content_block_delta", {"index": index, "delta": delta}), generated)
    yield Frame(_event("content_block_stop", {"index": index}), generated)


def _deltas(served: Served, block: dict[str, Any], before: int) -> Iterator[tuple[dict[str, Any], int]]:
    if block["type"] == "thinking":
        for piece, generated in served.cuts(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}, generated
        yield {"type": "signature_delta", "signature": block["signature"]}, served.reply.reasoning_tokens
    elif block["type"] == "text":
        for piece, generated in served.cuts(block["text"], before):
            yield {"type": "text_delta", "text": piece}, generated
    else:
        yield {"type": "input_json_delta", "partial_json": ""}, before
        text = _ENCODER.encode(block["input"]).decode()
        for start in range(0, len(text) if block["input"] else 0, _FRAGMENT):
            piece = text[start : start + _FRAGMENT]
            yield {"type": "input_json_delta", "partial_json": piece}, served.reply.output_tokens


def error_event(body: dict[str, Any]) -> bytes:
    """An error after the 200."""
    error = {"details": None} | body["error"]
    return b"event: error\ndata: " + _ENCODER.encode({"type": "error", "error": error}) + b"\n\n"
