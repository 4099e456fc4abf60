"""Turns an answer's events into content blocks, one after the other, as Anthropic itself sends them.

Calls that arrive woven together are untangled: the next one waits until the arguments of the last are complete. What
Anthropic has no block for (another provider's server items) is left out.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from monkey_coder_server.dialects.anthropic_messages.sealed import HOME, seal, seal_call
from monkey_coder_server.dialects.wire import parse_json
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    RefusalDelta,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)


class Sink(Protocol):
    """Where blocks go. They are numbered from 0; a block grows only between its start and its stop."""

    def start(self, index: int, block: dict[str, Json]) -> None:
        """A block begins, empty."""

    def grow(self, index: int, kind: str, name: str, value: Json) -> None:
        """A delta of type `kind`, whose one field is `name`."""

    def stop(self, index: int) -> None:
        """The block is complete."""


class _Call:
    __slots__ = ("at", "closed", "event", "fragments")

    def __init__(self, event: ToolCallOpened) -> None:
        self.event = event
        self.at = -1
        self.fragments: list[str] = []
        self.closed = False

    def complete(self) -> bool:
        """Whether the arguments so far are a whole object, so that no more can follow."""
        return self.closed or isinstance(parse_json("".join(self.fragments)), dict)


class Composer:
    """`provider` answers: its proofs of thought are sealed with its name."""

    __slots__ = ("_block", "_call", "_calls", "_cited", "_count", "_kind", "_provider", "_sink", "_waiting", "refusal")

    def __init__(self, sink: Sink, provider: str) -> None:
        self._sink = sink
        self._provider = provider
        self._count = 0
        self._kind = ""
        self._block = 0
        self._call: _Call | None = None
        self._calls: dict[int, _Call] = {}
        self._waiting: deque[_Call] = deque()
        self._cited: list[Citation] = []
        self.refusal: list[str] = []

    @property
    def called(self) -> bool:
        """Whether the model calls tools."""
        return bool(self._calls)

    def take(self, event: Event) -> None:
        """Write what the event says."""
        if type(event) is TextDelta and self._kind == "text":
            self._sink.grow(self._block, "text_delta", "text", event.text)
            return
        take = _TAKERS.get(type(event))
        if take is not None:
            take(self, event)

    def close(self) -> None:
        """The answer is over: stop what is open."""
        self._close_block()
        while self._call is not None:
            self._stop_call(self._call)

    def text(self, event: TextDelta | RefusalDelta) -> None:
        """Answer text; a refusal is said in words, too."""
        if isinstance(event, RefusalDelta):
            self.refusal.append(event.text)
        if event.text:
            self._ensure("text", {"type": "text", "text": ""})
            self._sink.grow(self._block, "text_delta", "text", event.text)

    def think(self, event: ThinkingDelta) -> None:
        """Reasoning text."""
        self._ensure("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        self._sink.grow(self._block, "thinking_delta", "thinking", event.text)

    def end_thought(self, event: ThinkingClosed) -> None:
        """A thought ends, with its proof; redacted data stand in a block of their own."""
        if event.signature is not None:
            self._ensure("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if self._kind == "thinking":
            self._close_block(event.signature or "")
        if event.redacted is not None:
            self._redacted(seal(event.redacted, self._provider))

    def cite(self, event: Cited) -> None:
        """A source of the text that is open or comes next."""
        self._cited.append(event.citation)
        if self._kind == "text":
            self._cite()

    def open_call(self, event: ToolCallOpened) -> None:
        """A call begins, or waits for the one before."""
        call = self._calls[event.index] = _Call(event)
        current = self._call
        if current is not None and not self._waiting and current.complete():
            self._stop_call(current)
        if self._call is None:
            self._start_call(call)
        else:
            self._waiting.append(call)

    def grow_call(self, event: ToolCallDelta) -> None:
        """A fragment of a call's arguments."""
        call = self._calls.get(event.index)
        if call is not None and event.fragment:
            call.fragments.append(event.fragment)
            if call is self._call:
                self._sink.grow(call.at, "input_json_delta", "partial_json", event.fragment)

    def close_call(self, event: ToolCallClosed) -> None:
        """A call's arguments are complete."""
        call = self._calls.get(event.index)
        if call is not None:
            call.closed = True
            while self._call is not None and self._call.closed:
                self._stop_call(self._call)

    def _start_call(self, call: _Call) -> None:
        self._close_block()
        event = call.event
        if event.signature and self._provider != HOME:
            self._redacted(seal_call(event.signature, self._provider))
        self._call, call.at = call, self._start({"type": "tool_use", "id": event.id, "name": event.name, "input": {}})
        if call.fragments:
            self._sink.grow(call.at, "input_json_delta", "partial_json", "".join(call.fragments))

    def _stop_call(self, call: _Call) -> None:
        """Stop the current call and begin the next that waits. No arguments at all are an empty object."""
        if call.closed and not call.fragments:
            self._sink.grow(call.at, "input_json_delta", "partial_json", "{}")
        self._sink.stop(call.at)
        self._call = None
        if self._waiting:
            self._start_call(self._waiting.popleft())

    def _ensure(self, kind: str, block: dict[str, Json]) -> None:
        """Have a block of this kind open."""
        if self._kind == kind:
            return
        self._close_block()
        if self._call is not None and not self._waiting and self._call.complete():
            self._stop_call(self._call)
        self._kind, self._block = kind, self._start(block)
        if kind == "text":
            self._cite()

    def _close_block(self, signature: str = "") -> None:
        if self._kind == "thinking":
            self._sink.grow(self._block, "signature_delta", "signature", seal(signature, self._provider))
        if self._kind:
            self._kind = ""
            self._sink.stop(self._block)

    def _redacted(self, data: str) -> None:
        self._close_block()
        self._sink.stop(self._start({"type": "redacted_thinking", "data": data}))

    def _cite(self) -> None:
        for citation in self._cited:
            self._sink.grow(self._block, "citations_delta", "citation", self._location(citation))
        self._cited.clear()

    def _location(self, citation: Citation) -> Json:
        """A source as a web search result; its index is sealed, because it means nothing to Anthropic."""
        return {
            "type": "web_search_result_location",
            "url": citation.url or "",
            "title": citation.title,
            "cited_text": citation.quoted or "",
            "encrypted_index": seal("", self._provider),
        }

    def _start(self, block: dict[str, Json]) -> int:
        index = self._count
        self._count += 1
        self._sink.start(index, block)
        return index


_TAKERS: dict[type, Callable[..., None]] = {
    TextDelta: Composer.text,
    RefusalDelta: Composer.text,
    ThinkingDelta: Composer.think,
    ThinkingClosed: Composer.end_thought,
    Cited: Composer.cite,
    ToolCallOpened: Composer.open_call,
    ToolCallDelta: Composer.grow_call,
    ToolCallClosed: Composer.close_call,
}
