"""Answers as OpenAI and xAI send them, event by event or whole."""

import json
from typing import Any

from monkey_coder_server.dialects.openai_responses import OpenAIResponses, Quirks
from monkey_coder_server.domain.stream_events import Event
from packages.server.tests.dialects import hostile

DIALECT = OpenAIResponses(Quirks("xai"))
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 17,
    "cost_in_usd_ticks": 21,
}
NOTE = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 1}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def response(*output: Any, status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "model": "m", "status": status, "output": list(output), **fields}


CREATED = event("response.created", response=response(status="in_progress"))


def added(index: int, **item: Any) -> bytes:
    return event("response.output_item.added", output_index=index, item=item)


def grown(kind: str, index: int, delta: str) -> bytes:
    return event(f"response.{kind}.delta", output_index=index, item_id="i", delta=delta)


def done(index: int, **item: Any) -> bytes:
    return event("response.output_item.done", output_index=index, item=item)


def completed(*output: Any, **fields: Any) -> bytes:
    return event("response.completed", response=response(*output, **fields))


def streamed(*pieces: bytes) -> list[Event]:
    return hostile.read(DIALECT, [CREATED, *pieces])


def whole(*output: Any, **fields: Any) -> list[Event]:
    return list(DIALECT.decode(json.dumps(response(*output, **fields)).encode()))


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text, **more}]}


def call(name: str = "f", arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "c1", "name": name, "arguments": arguments, **more}


PATCH = {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "*** x"}
SUMMARY = [{"type": "summary_text", "text": "first"}, {"type": "summary_text", "text": "second"}]
THOUGHT = {"type": "reasoning", "summary": SUMMARY, "encrypted_content": "gAAA"}
