"""Passes Google's own answers on: untouched but for the cost, which stands beside the usage of the last record."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.gemini.composing import answer_record, usage_record
from monkey_coder_server.dialects.gemini.framing import Framing
from monkey_coder_server.dialects.gemini.names import written_reason
from monkey_coder_server.dialects.gemini.refusals import error_body
from monkey_coder_server.dialects.wire import as_list, as_object, parse_json, write_json
from monkey_coder_server.domain.stream_events import Event, Frame
from monkey_coder_server.ports.front import Bill, Problem, Told

_Pieces: TypeAlias = dict[str, msgspec.Raw]

_USAGE: Final = "usageMetadata"
_FINISH: Final = '"finishReason"'
_MOST_KEPT: Final = 64
"""Records kept back after one that may be the last; no recorded stream has any."""
_pieces = msgspec.json.Decoder(_Pieces).decode


def with_cost(body: bytes, bill: Bill) -> bytes:
    """A record with its cost; all else stays as it was written. Usage is added where Google left it out."""
    try:
        record = _pieces(body)
        usage = _pieces(record[_USAGE]) if _USAGE in record else {}
    except msgspec.DecodeError:
        return body  # no record of Google's: better passed on without its cost than held back
    record[_USAGE] = msgspec.Raw(write_json({**usage, "cost": cost_of(bill)} if usage else usage_record(bill)))
    return write_json(record)


class RelayedAnswer:
    """One stream. What may be its last record is kept back until the cost is known."""

    __slots__ = ("_framing", "_kept", "_told")

    def __init__(self, framing: Framing, told: Told) -> None:
        self._framing = framing
        self._told = told
        self._kept: list[bytes] = []

    def begin(self) -> bytes:
        """The array's bracket; nothing before the first event."""
        return self._framing.opening

    def write(self, events: Sequence[Event]) -> bytes:
        """The frames as they came."""
        return b"".join(self._pass_on(event) for event in events if isinstance(event, Frame))

    def end(self, bill: Bill) -> bytes:
        """The last record with the cost, or one of our own where the provider's never came."""
        if self._kept:
            written = self._flush(self._kept[:-1]) + self._framing.record(with_cost(self._kept[-1], bill))
        else:
            end = {"finish": {"finishReason": written_reason(bill.finish)}, "usage": usage_record(bill)}
            written = self._framing.record(answer_record(self._told, (), end))
        return written + self._framing.closing

    def fail(self, problem: Problem) -> bytes:
        """What was kept or an end that is none of the model's, and the error."""
        written = self._flush(self._kept)
        if not written:
            end = {"finish": {"finishReason": "OTHER", "finishMessage": problem.message}, "usage": {}}
            written = self._framing.record(answer_record(self._told, (), end))
        return written + self._framing.record(error_body(problem)) + self._framing.closing

    def _pass_on(self, frame: Frame) -> bytes:
        """A JSON text has no line ends but between its tokens, where they mean nothing."""
        data = frame.data
        record = data.encode()
        if frame.skimmed and not self._kept and "\n" not in data:
            return self._framing.record(record)
        if b"\n" in record or b"\r" in record:
            record = record.replace(b"\r", b" ").replace(b"\n", b" ")
        ends = _FINISH in data and _ends(record)
        if not ends and not self._kept:
            return self._framing.record(record)
        earlier: list[bytes] = []
        if ends or len(self._kept) >= _MOST_KEPT:
            earlier, self._kept = self._kept, []
        self._kept.append(record)
        return self._flush(earlier)

    def _flush(self, records: Sequence[bytes]) -> bytes:
        return b"".join(self._framing.record(record) for record in records)


def _ends(record: bytes) -> bool:
    """Whether a record says why the answer ended; the word alone may stand in what the model wrote."""
    candidates = as_list(as_object(parse_json(record)).get("candidates"))
    return bool(candidates) and bool(as_object(candidates[0]).get("finishReason"))
