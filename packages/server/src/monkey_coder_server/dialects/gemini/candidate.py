"""Reads the records of an answer, one for a whole answer or many for a stream, into events."""

import re

from monkey_coder_server.dialects.gemini.errors import error_in, failure_of
from monkey_coder_server.dialects.gemini.names import finish_reason
from monkey_coder_server.dialects.gemini.usage import read_usage
from monkey_coder_server.dialects.wire import as_list, as_object, as_text, write_json
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Failed,
    Finished,
    FinishReason,
    Opened,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)

_NOT_IN_IDENTIFIERS = re.compile(r"[^a-zA-Z0-9_-]")
_UPPER = re.compile(r"(?=[A-Z])")
_NOT_AN_ITEM = frozenset({"thoughtSignature", "thought", "text", "partMetadata"})


class AnswerReader:
    """Takes the records of one answer in order. The end is only known when no more can come."""

    __slots__ = (
        "_answered",
        "_calls",
        "_cited",
        "_finish",
        "_opened",
        "_provider",
        "_response_id",
        "_searches",
        "_thinking",
        "done",
        "speaks",
    )

    def __init__(self, *, provider: str) -> None:
        self.done = False
        self._provider = provider
        self._opened = False
        self.speaks = False
        """Text has come."""
        self._answered = False
        self._response_id = ""
        self._calls = 0
        self._thinking = False
        self._cited: set[tuple[str | None, str | None]] = set()
        self._finish: tuple[FinishReason, str | None] | None = None
        self._searches = 0

    def take(self, record: Json, events: list[Event]) -> None:
        """Read one record; after an error, nothing."""
        if self.done:
            return
        if (error := error_in(record)) is not None:
            self._end(failure_of(error, provider=self._provider, status=200), events)
            return
        if not isinstance(record, dict):
            self.fail(FailureKind.MALFORMED, "the answer holds something that is not an object", events)
            return
        if not self._opened:
            self._open(record, events)
        if candidates := as_list(record.get("candidates")):
            self._answered = True
            self._candidate(as_object(candidates[0]), events)
        elif blocked := as_text(as_object(record.get("promptFeedback")).get("blockReason")):
            self._finish = (FinishReason.CONTENT_FILTER, blocked)
        if usage := as_object(record.get("usageMetadata")):
            events.append(UsageReported(read_usage(usage, searches=self._searches)))

    def close(self, events: list[Event], *, unfinished: FailureKind) -> None:
        """No more records will come; `unfinished` names the failure of an answer that never said its end.

        A body that came whole is no less whole for want of a `finishReason`.
        """
        if self.done:
            return
        if self._finish is None and self._answered and unfinished is FailureKind.MALFORMED:
            self._finish = (FinishReason.TOOL_CALLS if self._calls else FinishReason.OTHER, None)
        if self._finish is None:
            self.fail(unfinished, "the answer ended without a finishReason", events)
            return
        self._stop_thinking(events)
        self.done = True
        reason, native = self._finish
        events.append(Finished(reason, native))

    def fail(self, kind: FailureKind, message: str, events: list[Event]) -> None:
        """End the answer with a failure of our own reading."""
        self._end(ProviderFailure(self._provider, kind, message, 200), events)

    def _end(self, failure: ProviderFailure, events: list[Event]) -> None:
        self._stop_thinking(events)
        self.done = True
        events.append(Failed(failure))

    def _open(self, record: dict[str, Json], events: list[Event]) -> None:
        self._opened = True
        response_id = as_text(record.get("responseId"))
        self._response_id = _NOT_IN_IDENTIFIERS.sub("_", response_id or "")[:24]
        events.append(Opened(response_id, as_text(record.get("modelVersion"))))

    def _candidate(self, candidate: dict[str, Json], events: list[Event]) -> None:
        for part in as_list(as_object(candidate.get("content")).get("parts")):
            self._part(as_object(part), events)
        if grounding := as_object(candidate.get("groundingMetadata")):
            self._grounding(grounding, events)
        for source in as_list(as_object(candidate.get("citationMetadata")).get("citationSources")):
            raw = as_object(source)
            self._cite(Citation(as_text(raw.get("uri")), as_text(raw.get("title")), raw=raw), events)
        if native := as_text(candidate.get("finishReason")):
            self._finish = (finish_reason(native, called=self._calls > 0), native)

    def _part(self, part: dict[str, Json], events: list[Event]) -> None:
        signature = as_text(part.get("thoughtSignature"))
        text = as_text(part.get("text"))
        if part.get("thought") is True and not as_object(part.get("functionCall")):
            self._thinking = True
            if text:
                events.append(ThinkingDelta(text))
            if signature:
                self._stop_thinking(events, signature)
            return
        if call := as_object(part.get("functionCall")):
            self._stop_thinking(events)
            self._call(call, signature, events)
            return
        if text is not None:
            if text:
                self._stop_thinking(events)
                self.speaks = True
                events.append(TextDelta(text))
        else:
            self._item(part, events)
        if signature:
            self._thinking = True
            self._stop_thinking(events, signature)

    def _call(self, call: dict[str, Json], signature: str | None, events: list[Event]) -> None:
        index = self._calls
        self._calls += 1
        identifier = as_text(call.get("id")) or f"call_{self._response_id}_{index}"
        events.append(ToolCallOpened(index, identifier, as_text(call.get("name")) or "", signature=signature))
        events.append(ToolCallDelta(index, write_json(as_object(call.get("args"))).decode()))
        events.append(ToolCallClosed(index))

    def _item(self, part: dict[str, Json], events: list[Event]) -> None:
        """What Google ran or made itself; its type in the SDK's spelling (`executable_code`)."""
        name = next((name for name in part if name not in _NOT_AN_ITEM), None)
        if name is not None:
            self._stop_thinking(events)
            events.append(ServerItem(_UPPER.sub("_", name).lower(), part))

    def _grounding(self, grounding: dict[str, Json], events: list[Event]) -> None:
        self._searches = max(self._searches, len(as_list(grounding.get("webSearchQueries"))))
        for chunk in as_list(grounding.get("groundingChunks")):
            raw = as_object(chunk)
            source = next((as_object(value) for value in raw.values() if isinstance(value, dict)), {})
            quoted = as_text(source.get("text"))
            self._cite(Citation(as_text(source.get("uri")), as_text(source.get("title")), quoted, raw), events)
        events.append(ServerItem("grounding_metadata", grounding))

    def _cite(self, citation: Citation, events: list[Event]) -> None:
        """A stream repeats its sources; each is said once."""
        key = (citation.url or citation.quoted, citation.title)
        if key not in self._cited:
            self._cited.add(key)
            events.append(Cited(citation))

    def _stop_thinking(self, events: list[Event], signature: str | None = None) -> None:
        if self._thinking:
            self._thinking = False
            events.append(ThinkingClosed(signature=signature))
