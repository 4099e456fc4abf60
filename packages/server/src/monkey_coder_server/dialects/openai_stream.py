"""What both of OpenAI's streamed formats have in common: events in pieces cut anywhere, until the answer is over."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from monkey_coder_protocol.sse import SseEvent, SseParser, SseTooLong
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Event


class Assembled(Protocol):
    """An answer that is put together event by event."""

    def over(self) -> bool:
        """Whether it ended or failed; what follows is ignored."""

    def fail(self, kind: FailureKind, message: str, out: list[Event]) -> None:
        """End it as failed."""


class EventStream(ABC):
    """Implements `ports.provider.StreamDecoder`; a format says what one event means."""

    __slots__ = ("_answer", "_sse")

    def __init__(self, answer: Assembled) -> None:
        self._answer = answer
        self._sse = SseParser()

    def feed(self, piece: bytes) -> Sequence[Event]:
        """Take bytes; return the events they complete."""
        out: list[Event] = []
        if self._answer.over():
            return out
        try:
            events = self._sse.feed(piece)
        except SseTooLong as error:
            self._answer.fail(FailureKind.MALFORMED, f"The provider's stream is broken: {error}.", out)
            return out
        for event in events:
            if not self._take(event, out):
                self._answer.fail(FailureKind.MALFORMED, f"A stream event is not JSON: {event.data[:200]!r}", out)
            if self._answer.over():
                break
        return out

    def finish(self) -> Sequence[Event]:
        """The connection closed."""
        out: list[Event] = []
        if self._answer.over():
            return out
        for event in self._sse.finish():
            self._take(event, out)  # half an event is a cut, not garbage
        if not self._answer.over():
            self._close(out)
        return out

    @abstractmethod
    def _take(self, event: SseEvent, out: list[Event]) -> bool:
        """Read one event; False when it is not JSON."""

    def _close(self, out: list[Event]) -> None:
        """The connection closed before the answer said that it is over."""
        self._answer.fail(FailureKind.CUT_SHORT, "The stream stopped before the answer was finished.", out)
