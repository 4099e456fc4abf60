"""Reads a streamed message: content blocks by index, usage from its two reports, errors in mid-stream."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from monkey_coder_protocol.sse import SseEvent, SseParser, SseTooLong
from monkey_coder_server.dialects.anthropic_messages.blocks import OpenBlock, citation_of, close_block, open_block
from monkey_coder_server.dialects.anthropic_messages.errors import failure_in_stream
from monkey_coder_server.dialects.anthropic_messages.names import finish_reason
from monkey_coder_server.dialects.anthropic_messages.response import read_message, say_refusal
from monkey_coder_server.dialects.anthropic_messages.skim import skim
from monkey_coder_server.dialects.anthropic_messages.unfolding import frames_of
from monkey_coder_server.dialects.anthropic_messages.usage import merge_usage, read_usage
from monkey_coder_server.dialects.wire import UNREADABLE, as_object, as_text, parse_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Failed,
    Finished,
    Frame,
    Opened,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReported,
)

_WHOLE_LIMIT = 32 * 1024 * 1024
"""Bytes of a JSON answer to a request for a stream; more is refused."""

_Record: TypeAlias = dict[str, Json]


class MessageStream:
    """One streamed answer. Whatever follows the terminal event is ignored."""

    __slots__ = (
        "_begun",
        "_begun_kinds",
        "_blocks",
        "_calls",
        "_done",
        "_provider",
        "_relay",
        "_sse",
        "_stop",
        "_usage",
        "_whole",
    )

    def __init__(self, *, provider: str, relay: bool = False) -> None:
        self._provider = provider
        self._relay = relay
        self._begun_kinds: set[str] = set()
        self._sse = SseParser()
        self._begun = False
        self._whole: bytearray | None = None
        self._blocks: dict[int, OpenBlock] = {}
        self._calls = 0
        self._usage: _Record = {}
        self._stop: str | None = None
        self._done = False

    def feed(self, piece: bytes) -> Sequence[Event]:
        """Take bytes cut anywhere; return the events they complete."""
        events: list[Event] = []
        if not self._begun:
            self._begin(piece)
        if self._done:
            return events
        if self._whole is not None:
            self._whole += piece
            if len(self._whole) > _WHOLE_LIMIT:
                self._fail(FailureKind.MALFORMED, "the answer is longer than the gateway reads", events)
            return events
        try:
            for frame in self._sse.feed(piece):
                self._take(frame, events)
        except SseTooLong as error:
            self._fail(FailureKind.MALFORMED, str(error), events)
        return events

    def finish(self) -> Sequence[Event]:
        """The provider closed the connection."""
        events: list[Event] = []
        if self._done:
            return events
        if self._whole is not None:
            self._done = True
            return self._read_whole(bytes(self._whole))
        try:
            for frame in self._sse.finish():
                if parse_json(frame.data) is not UNREADABLE:  # half an event is a cut, not garbage
                    self._take(frame, events)
        except SseTooLong as error:
            self._fail(FailureKind.MALFORMED, str(error), events)
        if not self._done:
            self._fail(FailureKind.CUT_SHORT, "the stream ended before message_stop", events)
        return events

    def _read_whole(self, body: bytes) -> Sequence[Event]:
        """A message that was not streamed; whoever relays is given the frames it should have been."""
        events = read_message(body, provider=self._provider)
        if not self._relay or isinstance(events[-1], Failed):
            return events
        return [*frames_of(as_object(parse_json(body))), *events]

    def _begin(self, piece: bytes) -> None:
        """An SSE line never begins with a brace: then JSON came where a stream was asked for."""
        first = piece.lstrip()[:1]
        self._begun = bool(first)
        if first == b"{":
            self._whole = bytearray()

    def _take(self, frame: SseEvent, events: list[Event]) -> None:
        if self._done:
            return
        if self._relay and self._begun_kinds and (skimmed := skim(frame.data, self._begun_kinds)):
            events.append(Frame(frame.event, frame.data, skimmed))
            return
        event = parse_json(frame.data)
        record = as_object(event)
        kind = "error" if frame.event == "error" else as_text(record.get("type"))
        if event is UNREADABLE and kind != "error":
            self._fail(FailureKind.MALFORMED, "the stream holds an event that is not JSON", events)
            return
        if kind == "error":
            self._end(failure_in_stream(record, frame.data, provider=self._provider), events)
            return
        if self._relay:
            events.append(Frame(frame.event, frame.data))
        self._read(kind, record, events)

    def _read(self, kind: str | None, record: _Record, events: list[Event]) -> None:
        match kind:
            case "content_block_delta":
                self._grow_block(record, events)
            case "content_block_start":
                self._start_block(record, events)
            case "content_block_stop":
                self._stop_block(record, events)
            case "message_start":
                self._start_message(record, events)
            case "message_delta":
                self._change_message(record, events)
            case "message_stop":
                self._stop_message(events)

    def _start_message(self, record: _Record, events: list[Event]) -> None:
        message = as_object(record.get("message"))
        events.append(Opened(as_text(message.get("id")), as_text(message.get("model"))))
        self._report(as_object(message.get("usage")), events)

    def _start_block(self, record: _Record, events: list[Event]) -> None:
        index = _index(record)
        self._stop_block(record, events)
        block = open_block(as_object(record.get("content_block")), self._calls, events)
        self._calls += block.call is not None
        self._blocks[index] = block

    def _grow_block(self, record: _Record, events: list[Event]) -> None:
        delta = as_object(record.get("delta"))
        kind = as_text(delta.get("type")) or ""
        grow = _GROWERS.get(kind)
        block = self._blocks.get(_index(record))
        if grow is not None and block is not None:
            before = len(events)
            grow(block, delta, events)
            if len(events) > before:
                self._begun_kinds.add(kind)

    def _stop_block(self, record: _Record, events: list[Event]) -> None:
        block = self._blocks.pop(_index(record), None)
        if block is not None:
            close_block(block, events)

    def _change_message(self, record: _Record, events: list[Event]) -> None:
        delta = as_object(record.get("delta"))
        self._stop = as_text(delta.get("stop_reason")) or self._stop
        say_refusal(as_object(delta.get("stop_details")), events)
        self._report(as_object(record.get("usage")), events)

    def _stop_message(self, events: list[Event]) -> None:
        for block in self._blocks.values():
            close_block(block, events)
        self._blocks.clear()
        self._done = True
        events.append(Finished(finish_reason(self._stop), self._stop))

    def _report(self, usage: _Record, events: list[Event]) -> None:
        if usage:
            merge_usage(self._usage, usage)
            events.append(UsageReported(read_usage(self._usage)))

    def _fail(self, kind: FailureKind, message: str, events: list[Event]) -> None:
        self._end(ProviderFailure(self._provider, kind, message, 200), events)

    def _end(self, failure: ProviderFailure, events: list[Event]) -> None:
        for block in self._blocks.values():
            if block.call is None:  # a call cut off in the middle must never look complete
                close_block(block, events)
        self._blocks.clear()
        self._done = True
        events.append(Failed(failure))


def _index(record: _Record) -> int:
    index = record.get("index")
    return index if isinstance(index, int) else 0


def _grow_text(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    del block
    if text := as_text(delta.get("text")):
        events.append(TextDelta(text))


def _grow_thinking(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    del block
    if text := as_text(delta.get("thinking")):
        events.append(ThinkingDelta(text))


def _sign(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    del events
    block.signature = (block.signature or "") + (as_text(delta.get("signature")) or "")


def _grow_input(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    fragment = as_text(delta.get("partial_json"))
    if not fragment:
        return
    if block.call is None:
        block.grown.append(fragment)
    else:
        block.called_with = True
        events.append(ToolCallDelta(block.call, fragment))


def _cite(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    del block
    events.append(Cited(citation_of(as_object(delta.get("citation")))))


def _grow_compaction(block: OpenBlock, delta: _Record, events: list[Event]) -> None:
    del events
    block.grown.append(as_text(delta.get("content")) or "")


_GROWERS: dict[str, Callable[[OpenBlock, _Record, list[Event]], None]] = {
    "text_delta": _grow_text,
    "thinking_delta": _grow_thinking,
    "signature_delta": _sign,
    "input_json_delta": _grow_input,
    "citations_delta": _cite,
    "compaction_delta": _grow_compaction,
}
