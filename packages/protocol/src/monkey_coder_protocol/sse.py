"""An incremental parser for server-sent events (WHATWG HTML, section 9.2.6).

Bytes in any pieces, events out. LF, CRLF and CR end a line; a BOM at the start is skipped; comments
and unknown fields are dropped. Bytes are only decoded once a line is whole, so a UTF-8 character
cut between two pieces is never harmed.
"""

import msgspec

DEFAULT_MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class SseTooLong(ValueError):
    """One event grew beyond the parser's bound."""


class SseEvent(msgspec.Struct, frozen=True, gc=False):
    """`event` is `""` when the sender named none (the standard's `message`); `data` joined by LF."""

    event: str
    data: str
    id: str | None = None


class SseParser:
    """Feed bytes, get whole events.

    Neither a line, nor an event's data, nor what is passed over before it may be longer than `max_event_bytes`.
    """

    __slots__ = ("_at_start", "_buffer", "_data", "_event", "_id", "_ignored", "_limit", "_size", "_skip_lf")

    def __init__(self, *, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._buffer = bytearray()
        self._data: list[bytes] = []
        self._event = ""
        self._id: str | None = None
        self._size = 0
        self._ignored = 0
        self._skip_lf = False
        self._at_start = True

    def feed(self, piece: bytes) -> list[SseEvent]:
        """Take the next bytes; return the events they complete. Raises `SseTooLong`."""
        if self._skip_lf and piece:
            self._skip_lf = False
            if piece[0] == 0x0A:
                piece = piece[1:]
        if piece.endswith(b"\n\n") and len(piece) <= self._limit and b"\r" not in piece and self._between_events():
            return self._whole_events(piece.decode("utf-8", "replace"))
        self._buffer += piece
        if b"\n" not in piece and b"\r" not in piece:
            self._guard(len(self._buffer))
            return []
        text = bytes(self._buffer)
        self._buffer.clear()
        if text.endswith(b"\r"):
            self._skip_lf = True
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = text.split(b"\n")
        self._buffer += lines.pop()
        events: list[SseEvent] = []
        self._take(lines, events)
        self._guard(len(self._buffer))
        return events

    def finish(self) -> list[SseEvent]:
        """The sender closed: an event that lacks only its blank line is given out."""
        if self._buffer:
            line = bytes(self._buffer)
            self._buffer.clear()
            self._field(line)
        event = self._dispatch()
        return [event] if event else []

    def _between_events(self) -> bool:
        """Whether nothing of an event has come yet."""
        return not (self._buffer or self._data or self._event or self._at_start)

    def _whole_events(self, text: str) -> list[SseEvent]:
        """A piece that ends where an event ends, as most do: the usual two shapes of an event are read at a glance."""
        events: list[SseEvent] = []
        for block in text[:-2].split("\n\n"):
            name, line = "", block
            if block.startswith("event: "):
                first, _, line = block.partition("\n")
                name = first[7:]
            if line.startswith("data: ") and "\n" not in line:
                self._ignored = 0
                events.append(SseEvent(name, line[6:], self._id))
            else:
                self._take([*block.encode().split(b"\n"), b""], events)
        return events

    def _take(self, lines: list[bytes], events: list[SseEvent]) -> None:
        """Read lines; an empty one ends an event."""
        for line in lines:
            if line:
                self._field(line)
            elif event := self._dispatch():
                events.append(event)

    def _field(self, line: bytes) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        self._guard(len(line))
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            self._guard(self._size)
            self._data.append(value)
            return
        self._ignored += len(line) + 1
        self._guard(self._ignored)
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self) -> SseEvent | None:
        self._at_start = False
        data, name = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        if not data:
            return None
        self._ignored = 0
        return SseEvent(name, b"\n".join(data).decode("utf-8", "replace"), self._id)

    def _guard(self, size: int) -> None:
        if size > self._limit:
            message = f"a server-sent event is longer than {self._limit} bytes"
            raise SseTooLong(message)
