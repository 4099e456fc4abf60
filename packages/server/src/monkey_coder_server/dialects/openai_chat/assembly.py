"""Turns frames into events; a whole answer is one frame."""

import re

import msgspec

from monkey_coder_server.dialects.openai_chat.chunks import (
    Call,
    Choice,
    Delta,
    Frame,
    WholeChoice,
    WholeFrame,
    json_of,
)
from monkey_coder_server.dialects.openai_usage import read_usage
from monkey_coder_server.dialects.wire import MESSAGE_LIMIT, as_list, as_object, as_text
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Failed,
    Finished,
    FinishReason,
    Opened,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)

_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


class _OpenCall:
    """A call whose name may still be to come; `held` are the argument pieces that came before it.

    `number` counts the calls in the order they were announced; None until then.
    """

    __slots__ = ("custom", "held", "id", "name", "number")

    def __init__(self, call_id: str | None) -> None:
        self.id = call_id
        self.name = ""
        self.custom = False
        self.number: int | None = None
        self.held: list[str] = []


class Assembly:
    """The state of one answer. Events are appended to the list given to each method."""

    __slots__ = (
        "_announced",
        "_calls",
        "_ended",
        "_native",
        "_opened",
        "_places",
        "_provider",
        "_refused",
        "_response_id",
        "_sources",
        "_thinking",
        "_usage",
        "finished",
        "speaks",
    )

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._opened = False
        self._response_id: str | None = None
        self._thinking = False
        self._refused = False
        self._native: str | None = None
        self._calls: list[_OpenCall] = []
        self._announced = 0
        self._places: dict[int, int] = {}
        self._usage = b""
        self._sources: tuple[bytes, bytes] = (b"", b"")
        self.finished = False
        """A finish reason has come."""
        self.speaks = False
        """Content has come: whoever relays is committed to this answer."""
        self._ended = False

    def over(self) -> bool:
        """Whether the last event has been given."""
        return self._ended

    def take(self, frame: Frame | WholeFrame, out: list[Event]) -> None:
        """Read one frame."""
        if not self._opened and (frame.id or frame.choices):
            self._open(frame, out)
        choices = frame.choices
        if choices:
            for choice in choices:
                if not choice.index:  # further alternatives are billed, but only the first is relayed
                    self._take_choice(choice, out)
        if frame.usage or frame.x_groq is not None:
            self._report(frame, out)
        if frame.citations or frame.search_results:
            self._sources = (bytes(frame.citations), bytes(frame.search_results))
        if frame.x_groq is not None and frame.x_groq.error:
            self.fail(FailureKind.CUT_SHORT, frame.x_groq.error[:MESSAGE_LIMIT], out)

    def end(self, out: list[Event]) -> None:
        """The answer is complete."""
        self._close_blocks(out)
        self._cite_sources(out)
        out.append(Finished(self._reason(), self._native))
        self._ended = True

    def fail(self, kind: FailureKind, message: str, out: list[Event]) -> None:
        """The answer breaks off, in our words."""
        self.fail_with(ProviderFailure(self._provider, kind, message), out)

    def fail_with(self, failure: ProviderFailure, out: list[Event]) -> None:
        """The answer breaks off, in the provider's words."""
        self._close_blocks(out)
        self._cite_sources(out)
        out.append(Failed(failure))
        self._ended = True

    def _open(self, frame: Frame | WholeFrame, out: list[Event]) -> None:
        self._opened = True
        self._response_id = frame.id or None
        out.append(Opened(self._response_id, frame.model or None))

    def _take_choice(self, choice: Choice | WholeChoice, out: list[Event]) -> None:
        delta = choice.delta
        if delta is not None:
            before = len(out)
            self._take_delta(delta, out)
            self.speaks = self.speaks or len(out) > before
        if choice.finish_reason:
            self._native = choice.finish_reason
            self.finished = True
        if choice.usage:
            self._report_raw(choice.usage, out)

    def _take_delta(self, delta: Delta, out: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            self._thinking = True
            out.append(ThinkingDelta(thought))
        if delta.content:
            self._close_thinking(out)
            out.append(TextDelta(delta.content))
        if delta.refusal:
            self._close_thinking(out)
            self._refused = True
            out.append(RefusalDelta(delta.refusal))
        if delta.tool_calls:
            self._close_thinking(out)
            for call in delta.tool_calls:
                self._take_call(call, out)
        if delta.annotations or delta.executed_tools:
            self._take_extras(delta, out)

    def _take_extras(self, delta: Delta, out: list[Event]) -> None:
        out.extend(Cited(_annotation(note)) for note in as_list(json_of(delta.annotations)))
        for tool in as_list(json_of(delta.executed_tools)):
            ran = as_object(tool)
            if ran.get("output") is not None:  # Groq announces a run and repeats it with its output
                out.append(ServerItem(as_text(ran.get("type")) or "executed_tool", ran))

    def _take_call(self, call: Call, out: list[Event]) -> None:
        place = self._place(call)
        current = self._calls[place]
        if call.function is not None:
            name, piece = call.function.name, call.function.arguments
        elif call.custom is not None:
            name, piece = call.custom.name, call.custom.input
            current.custom = True
        else:
            return
        if name and current.number is None:
            current.name = name
            self._announce(current, out)
        if piece:
            if current.number is None:
                current.held.append(piece)
            else:
                out.append(ToolCallDelta(current.number, piece))

    def _place(self, call: Call) -> int:
        """Which of our calls a piece belongs to: by index, told apart by id; without either, the latest."""
        known = self._places.get(call.index) if call.index is not None else None
        if known is not None and not self._is_another(call, known):
            return known
        if call.index is None and self._calls and (not call.id or call.id == self._calls[-1].id):
            return len(self._calls) - 1
        self._calls.append(_OpenCall(call.id or None))
        place = len(self._calls) - 1
        if call.index is not None:
            self._places[call.index] = place
        return place

    def _is_another(self, call: Call, known: int) -> bool:
        """Some servers number every call 0; a new id with a name begins another one."""
        named = call.function is not None and call.function.name
        return bool(call.id and named and self._calls[known].id not in {None, call.id})

    def _announce(self, call: _OpenCall, out: list[Event]) -> int:
        number = call.number = self._announced
        self._announced += 1
        out.append(ToolCallOpened(number, call.id or self._own_id(number), call.name, call.custom))
        out.extend(ToolCallDelta(number, piece) for piece in call.held)
        call.held = []
        return number

    def _own_id(self, number: int) -> str:
        return f"call_{_NOT_IN_IDS.sub('_', self._response_id or 'none')}_{number}"

    def _report(self, frame: Frame | WholeFrame, out: list[Event]) -> None:
        raw = frame.usage or (frame.x_groq.usage if frame.x_groq is not None else frame.usage)
        if raw and bytes(raw) != b"null" and not self._opened:
            self._open(frame, out)
        if raw:
            self._report_raw(raw, out)

    def _report_raw(self, raw: msgspec.Raw, out: list[Event]) -> None:
        written = bytes(raw)
        if written in {b"null", self._usage}:
            return
        usage = read_usage(raw)
        if usage is not None:
            self._usage = written
            out.append(UsageReported(usage))

    def _close_thinking(self, out: list[Event]) -> None:
        if self._thinking:
            self._thinking = False
            out.append(ThinkingClosed())

    def _close_blocks(self, out: list[Event]) -> None:
        self._close_thinking(out)
        for call in self._calls:
            number = self._announce(call, out) if call.number is None else call.number
            out.append(ToolCallClosed(number))

    def _cite_sources(self, out: list[Event]) -> None:
        """Perplexity repeats its sources in every frame; the last list counts, and is given once."""
        citations, results = self._sources
        if not citations and not results:
            return
        found = as_list(json_of(msgspec.Raw(results)))
        if found:
            out.extend(Cited(_search_result(result)) for result in found)
        else:
            out.extend(Cited(Citation(url=as_text(url), raw=url)) for url in as_list(json_of(msgspec.Raw(citations))))

    def _reason(self) -> FinishReason:
        reason = _REASONS.get(self._native or "", FinishReason.OTHER)
        if reason in {FinishReason.STOP, FinishReason.OTHER}:
            if self._calls:
                return FinishReason.TOOL_CALLS
            if self._refused:
                return FinishReason.REFUSAL
        return reason


def _annotation(note: Json) -> Citation:
    inner = as_object(as_object(note).get("url_citation"))
    return Citation(url=as_text(inner.get("url")), title=as_text(inner.get("title")), raw=note)


def _search_result(result: Json) -> Citation:
    inner = as_object(result)
    return Citation(
        url=as_text(inner.get("url")),
        title=as_text(inner.get("title")),
        quoted=as_text(inner.get("snippet")),
        raw=result,
    )
