"""Reads a streamed answer: server-sent events (`alt=sse`), or a JSON array sent bit by bit where that was left out."""

from collections.abc import Sequence

from monkey_coder_protocol.sse import SseParser, SseTooLong
from monkey_coder_server.dialects.gemini.candidate import AnswerReader
from monkey_coder_server.dialects.gemini.json_array import ArraySplitter, ElementTooLong
from monkey_coder_server.dialects.gemini.skim import Skimmer
from monkey_coder_server.dialects.wire import UNREADABLE, parse_json
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Event, Frame


class AnswerStream:
    """One streamed answer; what follows its end is ignored."""

    __slots__ = ("_array", "_begun", "_reader", "_relay", "_skimmed", "_skimmer", "_sse")

    def __init__(self, *, provider: str, relay: bool = False) -> None:
        self._relay = relay
        self._skimmed = ""
        """The last record, if it was not read: an answer that ends with it has its usage there."""
        self._skimmer = Skimmer()
        self._reader = AnswerReader(provider=provider)
        self._sse = SseParser()
        self._array: ArraySplitter | None = None
        self._begun = False

    def feed(self, piece: bytes) -> Sequence[Event]:
        """Take bytes cut anywhere; return the events they complete."""
        if not self._begun:
            self._begin(piece)
        events: list[Event] = []
        if self._reader.done:
            return events
        try:
            if self._array is not None:
                for element in self._array.feed(piece):
                    self._take(element, events)
            else:
                for frame in self._sse.feed(piece):
                    self._take(frame.data, events)
        except (SseTooLong, ElementTooLong) as error:
            self._reader.fail(FailureKind.MALFORMED, str(error), events)
        return events

    def finish(self) -> Sequence[Event]:
        """The provider closed the connection: only now is the answer known to be complete."""
        events: list[Event] = []
        if self._reader.done:
            return events
        try:
            for frame in self._sse.finish():
                if parse_json(frame.data) is not UNREADABLE:  # half a record is a cut, not garbage
                    self._take(frame.data, events)
        except SseTooLong as error:
            self._reader.fail(FailureKind.MALFORMED, str(error), events)
        if self._skimmed:
            self._reader.take(parse_json(self._skimmed), events)
        self._reader.close(events, unfinished=FailureKind.CUT_SHORT)
        return events

    def _begin(self, piece: bytes) -> None:
        """An SSE line never begins with a bracket or a brace."""
        first = piece.lstrip()[:1]
        self._begun = bool(first)
        if first in {b"[", b"{"}:
            self._array = ArraySplitter()

    def _take(self, data: str | bytes, events: list[Event]) -> None:
        if self._relay and self._reader.speaks and isinstance(data, str) and (skimmed := self._skimmer.piece(data)):
            events.append(Frame("", data, skimmed))
            self._skimmed = data
            return
        self._skimmed = ""
        record = parse_json(data)
        if record is UNREADABLE and not self._reader.done:
            self._reader.fail(FailureKind.MALFORMED, "the stream holds a record that is not JSON", events)
            return
        place = len(events)
        self._reader.take(record, events)
        if self._relay and not self._reader.done:
            events.insert(place, Frame("", data if isinstance(data, str) else data.decode("utf-8", "replace")))
