"""Passes on a provider's own answer, with the cost in its usage and the end made complete."""

import re
from collections.abc import Sequence
from typing import cast

import msgspec

from monkey_coder_server.dialects.costs import cost_of, usage_in
from monkey_coder_server.dialects.openai_chat.answer import finish_word
from monkey_coder_server.dialects.openai_chat.frames import DONE, Chunks, completion_id, usage_object
from monkey_coder_server.dialects.openai_chat.inbound import Form
from monkey_coder_server.dialects.openai_chat.writer import error_frame
from monkey_coder_server.domain.stream_events import Event, Frame
from monkey_coder_server.ports.front import Bill, Problem, Told

_FINISH = re.compile(r'"finish_reason"\s*:\s*"')
_LAST = re.compile(r'"finish_reason"\s*:\s*"|"choices"\s*:\s*\[\s*\][^\n]*"usage"\s*:\s*\{|^\[DONE\]')
"""What only the frames that end an answer hold. Inside a string every quote has a backslash before it."""

_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Kept(msgspec.Struct, gc=False):
    """What must be known of a frame that was kept back."""

    choices: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _Head(msgspec.Struct, gc=False):
    """What the chunks of a stream have in common."""

    id: str | None = None
    created: int | None = None
    model: str | None = None


class RelayedWriter:
    """Implements `ports.front.AnswerWriter` for frames of the caller's own dialect."""

    __slots__ = ("_first", "_form", "_kept", "_told")

    def __init__(self, form: Form, told: Told) -> None:
        self._form = form
        self._told = told
        self._first = ""
        self._kept: list[Frame] = []

    def begin(self) -> bytes:
        """The provider's own first chunk opens the stream."""
        return b""

    def write(self, events: Sequence[Event]) -> bytes:
        """The frames as they came, up to those that end the answer."""
        out: list[str] = []
        for frame in events:
            if not isinstance(frame, Frame):
                continue
            if self._kept or (not frame.skimmed and _LAST.search(frame.data)):
                self._kept.append(frame)
                continue
            if not self._first:
                self._first = frame.data
            out.append(_written(frame.event, frame.data))
        return "".join(out).encode()

    def end(self, bill: Bill) -> bytes:
        """The frames that were kept back, the cost in their usage, and what is missing of a complete end."""
        said: list[bytes] = []
        reports: list[bytes] = []
        finished = reported = False
        for frame in self._kept:
            data, usage = frame.data, _usage_in(frame.data)
            if data.startswith("[DONE]"):
                continue
            if usage is not None:
                reported = True
                data = with_cost(data.encode(), bill).decode()
            finished = finished or _FINISH.search(data) is not None
            alone = usage is not None and not usage.choices
            (reports if alone else said).append(_written(frame.event, data).encode())
        chunks = self._chunks()
        if not finished:
            said.append(chunks.finish(finish_word(bill.finish)))
        if self._form.include_usage:
            said.extend(reports if reported else [chunks.usage(bill)])
        return b"".join([*said, DONE])

    def fail(self, problem: Problem) -> bytes:
        """The error the official SDK raises in mid-stream."""
        return error_frame(problem)

    def _chunks(self) -> Chunks:
        """More chunks of the same stream."""
        told = self._told
        head = _head_of(self._first)
        return Chunks(
            identifier=head.id or completion_id(told),
            created=told.created if head.created is None else head.created,
            model=head.model or told.model,
            with_usage=False,
        )


def with_cost(body: bytes, bill: Bill) -> bytes:
    """A whole answer as it came, with its cost; usage that stands nowhere the SDK looks is said in its place."""
    usage = usage_in(body)
    costing = _costing(usage, bill)
    if usage.startswith(b"{") and body.count(usage) == 1:
        return body.replace(usage, costing)
    return msgspec.json.encode({**_objects.decode(body), "usage": msgspec.Raw(costing)})


def _written(event: str, data: str) -> str:
    """A server-sent event in its plainest form."""
    if "\n" in data:
        data = data.replace("\n", "\ndata: ")
    return f"event: {event}\ndata: {data}\n\n" if event else f"data: {data}\n\n"


def _usage_in(data: str) -> "_Kept | None":
    """A frame that reports usage; None for any other."""
    try:
        kept = _kept.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return kept if bytes(kept.usage).startswith(b"{") else None


def _head_of(data: str) -> "_Head":
    try:
        return _heads.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        return _Head()


def _costing(usage: bytes, bill: Bill) -> bytes:
    """A provider's usage object with our cost in it; our own where it has none."""
    if usage.endswith(b"}") and b":" in usage and b'cost"' not in usage and b"\\" not in usage:
        return b'%b,"cost":%b}' % (usage[:-1], bytes(cost_of(bill)))
    known = cast("dict[str, object]", _objects.decode(usage)) if usage.startswith(b"{") else usage_object(bill)
    return msgspec.json.encode({**known, "cost": cost_of(bill)})


_kept = msgspec.json.Decoder(_Kept)
_heads = msgspec.json.Decoder(_Head)
