"""Composes an answer of another provider in Gemini's words: one composer for whole answers and for streams."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.gemini.names import written_reason
from monkey_coder_server.dialects.gemini.signatures import HOME, seal_thoughts
from monkey_coder_server.dialects.wire import parse_json, write_json
from monkey_coder_server.domain.conversation import Citation, Json, Thinking
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    FinishReason,
    RefusalDelta,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)
from monkey_coder_server.ports.front import Bill, Told

Record: TypeAlias = dict[str, Json]

_UNREMARKABLE: Final = frozenset({FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.LENGTH})


def compose(events: Sequence[Event], told: Told, bill: Bill, *, thoughts: bool) -> bytes:
    """A whole answer."""
    composer = Composer(told.provider, thoughts=thoughts)
    parts = composer.take(events)
    return answer_record(told, parts, {"finish": composer.ending(bill), "usage": usage_record(bill)})


def answer_record(told: Told, parts: Sequence[Record], end: Record) -> bytes:
    """One record of an answer; `end` holds what only the last one says."""
    candidate = {"content": {"parts": parts or [{"text": ""}], "role": "model"}, **end["finish"], "index": 0}
    written = {"candidates": [candidate], "usageMetadata": end["usage"]}
    return write_json({**written, "modelVersion": told.model, "responseId": told.request_id})


def usage_record(bill: Bill) -> Record:
    """`usageMetadata`: cached tokens are a part of the prompt's, thoughts stand beside the candidates'."""
    usage = bill.usage
    counts = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.total,
    }
    if usage.cache_read:
        counts["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        counts["thoughtsTokenCount"] = usage.reasoning
    return {**counts, "cost": cost_of(bill)}


class Composer:
    """Turns events into parts. A call is said when it is whole; `thoughts`: the caller asked to read them."""

    __slots__ = (
        "_before",
        "_calls",
        "_citations",
        "_malformed",
        "_parts",
        "_pieces",
        "_provider",
        "_thinks",
        "_thought",
        "_thoughts",
    )

    def __init__(self, provider: str, *, thoughts: bool) -> None:
        self._provider = provider
        self._thoughts = thoughts
        self._thought: list[str] = []
        self._before: list[Thinking] = []
        """Thoughts since the last call: the provider must get them back with the next one."""
        self._calls: dict[int, tuple[ToolCallOpened, list[str]]] = {}
        self._malformed: list[str] = []
        self._citations: dict[Citation, None] = {}
        self._parts: list[Record] = []
        self._pieces: list[str] = []
        """Of the part that still grows; `_thinks` says whether they are thought or spoken."""
        self._thinks = False

    def take(self, events: Sequence[Event]) -> list[Record]:
        """The parts these events complete; neighbouring pieces of text are one part."""
        for event in events:
            self._take(event)
        self._add(None)
        parts, self._parts = self._parts, []
        return parts

    def ending(self, bill: Bill) -> Record:
        """What the candidate says at its end: why it ended and, if there are any, its sources."""
        reason = bill.finish
        message = None if reason in _UNREMARKABLE else bill.native_finish
        if self._malformed and reason in {FinishReason.STOP, FinishReason.TOOL_CALLS}:
            reason = FinishReason.MALFORMED_CALL
            message = f"Malformed function call: {', '.join(self._malformed)}"
        ending: Record = {"finishReason": written_reason(reason)}
        if message:
            ending["finishMessage"] = message
        if self._citations:
            ending["groundingMetadata"] = {"groundingChunks": [_source(citation) for citation in self._citations]}
        return ending

    def _take(self, event: Event) -> None:
        match event:
            case TextDelta(text) | RefusalDelta(text):
                self._say(text, thinks=False)
            case ThinkingDelta(text):
                self._thought.append(text)
                if self._thoughts:
                    self._say(text, thinks=True)
            case ThinkingClosed(signature, redacted):
                self._close_thought(signature, redacted)
            case ToolCallOpened():
                self._calls[event.index] = (event, [])
            case ToolCallDelta(index, fragment):
                self._calls[index][1].append(fragment)
            case ToolCallClosed(index):
                self._call(*self._calls.pop(index))
            case Cited(citation):
                self._citations[_named(citation)] = None
            case _:
                pass

    def _say(self, text: str, *, thinks: bool) -> None:
        """Add a piece of text or thought."""
        if thinks is not self._thinks:
            self._add(None)
            self._thinks = thinks
        if text:
            self._pieces.append(text)

    def _add(self, part: Record | None, signature: str | None = None) -> None:
        """End the part that grows, `signature` its proof; then add another."""
        if self._pieces or signature:
            grown: Record = {"text": "".join(self._pieces)}
            if self._thinks:
                grown["thought"] = True
            if signature:
                grown["thoughtSignature"] = signature
            self._parts.append(grown)
            self._pieces = []
        if part is not None:
            self._parts.append(part)

    def _close_thought(self, signature: str | None, redacted: str | None) -> None:
        self._before.append(Thinking("".join(self._thought), signature, redacted))
        self._thought = []
        if self._thoughts and (signature or redacted):
            self._say("", thinks=True)
            self._add(None, seal_thoughts([Thinking("", signature, redacted)], self._provider))

    def _call(self, opened: ToolCallOpened, fragments: list[str]) -> None:
        arguments = "".join(fragments)
        args = {"input": arguments} if opened.custom else parse_json(arguments or "{}")
        if not isinstance(args, dict):
            self._malformed.append(opened.name)
            return
        part: Record = {"functionCall": {"id": opened.id, "name": opened.name, "args": args}}
        if opened.signature and self._provider == HOME:
            part["thoughtSignature"] = opened.signature
        elif self._before:
            part["thoughtSignature"] = seal_thoughts(self._before, self._provider)
        self._before = []
        self._add(part)


def _named(citation: Citation) -> Citation:
    """The source alone: what is cited twice is listed once."""
    return Citation(citation.url, citation.title, None if citation.url else citation.quoted)


def _source(citation: Citation) -> Record:
    named = {"uri": citation.url, "title": citation.title, "text": citation.quoted}
    return {"web" if citation.url else "retrievedContext": {key: value for key, value in named.items() if value}}
