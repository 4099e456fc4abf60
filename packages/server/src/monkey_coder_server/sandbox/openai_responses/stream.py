"""Responses answers as server-sent events: the full sequence, item by item."""

from collections.abc import Iterator
from typing import Any

import msgspec

from monkey_coder_server.sandbox import author, tokens
from monkey_coder_server.sandbox.exchange import Frame
from monkey_coder_server.sandbox.identifiers import Identifiers, base62
from monkey_coder_server.sandbox.openai_responses import whole
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()
_FRAGMENT = 12
"""Characters of a call's arguments OpenAI sends in one event; xAI sends them at once."""
_DELTA = ".delta"


def frames(served: Served, identifiers: Identifiers) -> Iterator[Frame]:
    """The events of a streamed answer."""
    return _Stream(served, identifiers).frames()


def error_event(body: dict[str, Any]) -> bytes:
    """An error after the 200."""
    error = body["error"]
    told = error if isinstance(error, dict) else {"message": error, "code": body.get("code")}
    return _event("error", {"type": "error", "sequence_number": 99, "error": told})


def _event(kind: str, body: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: ".encode() + _ENCODER.encode(body) + b"\n\n"


class _Stream:
    """One answer on its way: events are numbered, OpenAI's deltas padded against those who count their bytes."""

    def __init__(self, served: Served, identifiers: Identifiers) -> None:
        self._served = served
        self._identifiers = identifiers
        self._number = 0
        self._generated = 0
        self._pads = served.ask.provider == "openai" and served.ask.echo.get("stream_options") != {
            "include_obfuscation": False
        }

    def frames(self) -> Iterator[Frame]:
        served = self._served
        document = whole.document(served, self._identifiers)
        begun = whole.opened(served)
        yield self._frame("response.created", response=begun)
        yield self._frame("response.in_progress", response=begun)
        for index, item in enumerate(document["output"]):
            yield from _WRITERS[item["type"]](self, index, item)
        self._generated = served.reply.output_tokens
        yield self._frame(f"response.{document['status']}", response=document)

    def reasoning(self, index: int, item: dict[str, Any]) -> Iterator[Frame]:
        """Its summary, if it is shown."""
        status = {"status": "in_progress"} if self._served.ask.provider == "xai" else {}
        yield self._added(index, {"id": item["id"], "type": "reasoning", "summary": [], **status})
        for number, part in enumerate(item["summary"]):
            place = {"item_id": item["id"], "output_index": index, "summary_index": number}
            yield self._frame("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
            for piece, generated in self._served.cuts(part["text"]):
                self._generated = min(generated, self._served.reply.reasoning_tokens)
                yield self._frame("response.reasoning_summary_text.delta", **place, delta=piece)
            yield self._frame("response.reasoning_summary_text.done", **place, text=part["text"])
            yield self._frame("response.reasoning_summary_part.done", **place, part=part)
        self._generated = self._served.reply.reasoning_tokens
        yield self._done(index, item)

    def search(self, index: int, item: dict[str, Any]) -> Iterator[Frame]:
        """A search: begun, running, over."""
        place = {"item_id": item["id"], "output_index": index}
        yield self._added(index, {"id": item["id"], "type": item["type"], "status": "in_progress"})
        for step in ("in_progress", "searching", "completed"):
            yield self._frame(f"response.web_search_call.{step}", **place)
        yield self._done(index, item)

    def message(self, index: int, item: dict[str, Any]) -> Iterator[Frame]:
        """Text or a refusal in pieces, with its sources."""
        (part,) = item["content"]
        field, kind = ("text", "output_text") if part["type"] == "output_text" else ("refusal", "refusal")
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        empty = whole.text_part("", []) if field == "text" else whole.refusal_part("")
        beside: dict[str, Any] = {"logprobs": []} if field == "text" else {}
        before = self._served.reply.reasoning_tokens
        yield self._added(index, {**item, "content": [], "status": "in_progress"})
        yield self._frame("response.content_part.added", **place, part=empty)
        for piece, generated in self._served.cuts(part[field], before):
            self._generated = min(generated, self._served.reply.output_tokens)
            yield self._frame(f"response.{kind}.delta", **place, **beside, delta=piece)
        for number, note in enumerate(part.get("annotations", ())):
            yield self._frame(
                "response.output_text.annotation.added", **place, annotation_index=number, annotation=note
            )
        yield self._frame(f"response.{kind}.done", **place, **beside, **{field: part[field]})
        yield self._frame("response.content_part.done", **place, part=part)
        yield self._done(index, item)

    def call(self, index: int, item: dict[str, Any]) -> Iterator[Frame]:
        """A call, its arguments in fragments."""
        field = "input" if item["type"] == "custom_tool_call" else "arguments"
        kind = "custom_tool_call_input" if field == "input" else "function_call_arguments"
        place = {"item_id": item["id"], "output_index": index}
        text = item[field]
        self._generated += author.CALL_OVERHEAD
        yield self._added(index, {**item, field: "", "status": "in_progress"})
        size = _FRAGMENT if self._served.ask.provider == "openai" else max(1, len(text))
        for start in range(0, len(text), size):
            self._generated += tokens.count(text[start : start + size])
            yield self._frame(f"response.{kind}.delta", **place, delta=text[start : start + size])
        yield self._frame(f"response.{kind}.done", **place, **{field: text})
        yield self._done(index, item)

    def _added(self, index: int, item: dict[str, Any]) -> Frame:
        return self._frame("response.output_item.added", output_index=index, item=item)

    def _done(self, index: int, item: dict[str, Any]) -> Frame:
        return self._frame("response.output_item.done", output_index=index, item=item)

    def _frame(self, kind: str, **fields: Any) -> Frame:
        number, self._number = self._number, self._number + 1
        if self._pads and kind.endswith(_DELTA):
            seed = self._served.number >> number % 90
            fields["obfuscation"] = base62(seed, 1 + seed % 16)
        generated = min(self._generated, self._served.reply.output_tokens)
        return Frame(_event(kind, {"type": kind, "sequence_number": number, **fields}), generated)


_WRITERS = {
    "reasoning": _Stream.reasoning,
    "web_search_call": _Stream.search,
    "message": _Stream.message,
    "function_call": _Stream.call,
    "custom_tool_call": _Stream.call,
}
