"""What a task's event stream has said so far. Pure: bytes in, events out."""

from collections.abc import Mapping
from typing import get_args

import msgspec

from monkey_coder import _responses, errors
from monkey_coder.results import Execution
from monkey_coder_protocol.events import EventType, StreamEvent
from monkey_coder_protocol.sse import SseEvent, SseParser, SseTooLong


class _TypeOnly(msgspec.Struct):
    type: str = ""


_KNOWN_TYPES = frozenset(get_args(EventType))
_TYPE_ONLY = msgspec.json.Decoder(_TypeOnly)
_EVENT = msgspec.json.Decoder(StreamEvent)


class StreamAssembler:
    """Feed the body of `/v1/execute/stream`; keeps the text and, in the end, the whole response."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.final: Execution | None = None
        self._parser = SseParser()
        self._pieces: list[str] = []

    @property
    def request_id(self) -> str | None:
        """Names the request at the gateway."""
        return self.headers.get("x-request-id")

    @property
    def text(self) -> str:
        """The answer's text so far."""
        return "".join(self._pieces)

    def feed(self, piece: bytes) -> list[StreamEvent]:
        """Events completed by these bytes. An `error` event is among them: see `failure_of`."""
        try:
            return self._take(self._parser.feed(piece))
        except SseTooLong as error:
            raise errors.ResponseFormatError(str(error), request_id=self.request_id) from error

    def finish(self) -> list[StreamEvent]:
        """The connection ended: give out what lacked only its blank line."""
        return self._take(self._parser.finish())

    def failure_of(self, event: StreamEvent) -> errors.APIError | None:
        """The typed error of an `error` event, None for every other event."""
        if event.type != "error":
            return None
        if isinstance(event.error, msgspec.UnsetType):
            return _responses.stream_error("The task failed without a reason.", None, request_id=self.request_id)
        return _responses.stream_error(event.error.message, event.error.code, request_id=self.request_id)

    def interrupted(self, reason: str = "") -> errors.StreamInterruptedError:
        """The error for a stream that ended before `complete`."""
        cause = f" ({reason})" if reason else ""
        return errors.StreamInterruptedError(
            f"The stream broke off before the answer was complete{cause}.",
            partial_text=self.text,
            request_id=self.request_id,
        )

    def _take(self, raw_events: list[SseEvent]) -> list[StreamEvent]:
        events = [event for raw in raw_events if (event := self._decode(raw)) is not None]
        for event in events:
            if event.type == "delta" and isinstance(event.data, str):
                self._pieces.append(event.data)
            elif event.type == "complete":
                self.final = self._response(event)
        return events

    def _decode(self, raw: SseEvent) -> StreamEvent | None:
        """None for an event type that this version does not know."""
        try:
            if _TYPE_ONLY.decode(raw.data).type not in _KNOWN_TYPES:
                return None
            return _EVENT.decode(raw.data)
        except msgspec.MsgspecError as error:
            raise self._unreadable(error) from error

    def _response(self, event: StreamEvent) -> Execution:
        try:
            execution = msgspec.convert(event.data, Execution)
        except msgspec.ValidationError as error:
            raise self._unreadable(error) from error
        return _responses.complete_metadata(execution, self.headers)

    def _unreadable(self, cause: Exception) -> errors.ResponseFormatError:
        return errors.ResponseFormatError(
            f"An event of the stream cannot be read ({cause}).", request_id=self.request_id
        )
