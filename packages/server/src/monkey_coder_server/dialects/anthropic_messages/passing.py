"""Passes the frames of an Anthropic stream on as they came, and completes what its provider left unfinished.

Only the frames that begin or end something are looked into. `message_delta` is held back until the bill is known.
"""

from collections.abc import Sequence

import msgspec

from monkey_coder_server.dialects.anthropic_messages.answering import end_frames, start_frame
from monkey_coder_server.dialects.anthropic_messages.frames import STOP, stop_frame
from monkey_coder_server.dialects.anthropic_messages.refusing import error_frame
from monkey_coder_server.dialects.anthropic_messages.usage import with_cost, write_usage
from monkey_coder_server.dialects.wire import as_object, as_text, parse_json
from monkey_coder_server.domain.stream_events import Event, Frame
from monkey_coder_server.ports.front import Bill, Problem, Told

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class RelayedStream:
    """Implements `ports.front.AnswerWriter` over `Frame`s."""

    __slots__ = ("_held", "_open", "_started", "_told")

    def __init__(self, told: Told) -> None:
        self._told = told
        self._started = False
        self._open: dict[int, None] = {}
        self._held: str | None = None

    def begin(self) -> bytes:
        """Nothing: the provider's own beginning comes."""
        return b""

    def write(self, events: Sequence[Event]) -> bytes:
        """The frames, but for those that end the message."""
        written: list[str] = []
        for event in events:
            if isinstance(event, Frame):
                if event.event == "content_block_delta" and "\n" not in event.data:
                    written.append(f"event: content_block_delta\ndata: {event.data}\n\n")
                else:
                    self._look(event, written)
        return "".join(written).encode()

    def end(self, bill: Bill) -> bytes:
        """Stop what is open, then the message, with what it cost."""
        begun = b"" if self._started else start_frame(self._told, bill.usage.input)
        stops = b"".join(stop_frame(index) for index in self._open)
        self._open.clear()
        return begun + stops + (end_frames(bill) if self._held is None else _billed(self._held, bill) + STOP)

    def fail(self, problem: Problem) -> bytes:
        """The error event."""
        return error_frame(problem)

    def _look(self, frame: Frame, written: list[str]) -> None:
        name, data = frame.event, frame.data
        if not name:
            name = as_text(as_object(parse_json(data)).get("type")) or "message"
        match name:
            case "message_start":
                self._started = True
                data = _counted(data)
            case "content_block_start":
                self._open[_index(data)] = None
            case "content_block_stop":
                self._open.pop(_index(data), None)
            case "message_delta" if as_object(parse_json(data)):
                data, self._held = self._held or "", data
            case "message_delta":
                return  # it changes nothing, and there is no usage in it
            case "message_stop":
                return
        if data:
            written.append(_frame(name, data))


def billed_message(body: bytes, bill: Bill) -> bytes:
    """A whole message of Anthropic's with the cost in its usage; all else stays as it was written."""
    return bytes(_with_bill(body, bill))


def _billed(data: str, bill: Bill) -> bytes:
    return _frame("message_delta", _with_bill(data.encode(), bill).decode()).encode()


def _with_bill(record: bytes, bill: Bill) -> bytes:
    fields = _fields.decode(record)
    usage = bytes(fields.get("usage", b""))
    reported = usage.startswith(b"{")
    fields["usage"] = with_cost(usage, bill.cost) if reported else _raw(write_usage(bill.usage, bill.cost))
    return msgspec.json.encode(fields)


def _counted(data: str) -> str:
    """A beginning with a usage to add to: Anthropic's SDK and the AI SDK take it for granted."""
    if '"usage"' in data or not as_object(as_object(parse_json(data)).get("message")):
        return data
    record = _fields.decode(data.encode())
    message = _fields.decode(record["message"])
    message["usage"] = _raw({"input_tokens": 0, "output_tokens": 0})
    record["message"] = _raw(message)
    return msgspec.json.encode(record).decode()


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _frame(name: str, data: str) -> str:
    lines = data if "\n" not in data else data.replace("\n", "\ndata: ")
    return f"event: {name}\ndata: {lines}\n\n"


def _index(data: str) -> int:
    index = as_object(parse_json(data)).get("index")
    return index if isinstance(index, int) else 0
