"""What the events of an answer add to its message, as deltas."""

from collections.abc import Iterable

from monkey_coder_server.dialects.openai_chat.inbound import Form
from monkey_coder_server.dialects.openai_chat.inbound_messages import HOME, HOME_OF_CALLS
from monkey_coder_server.dialects.seals import seal
from monkey_coder_server.dialects.unwrapping import FreeText
from monkey_coder_server.domain.conversation import Citation, Json
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

Delta = dict[str, Json]

_WORDS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.REFUSAL: "content_filter",
    FinishReason.PAUSE: "length",
    FinishReason.MALFORMED_CALL: "length",
    FinishReason.OTHER: "stop",
}
"""A paused answer and one whose call went wrong broke off: of the dialect's words, only `length` says that."""


def finish_word(reason: FinishReason, *, functions: bool = False) -> str:
    """The dialect's word for why an answer ended."""
    return "function_call" if functions and reason is FinishReason.TOOL_CALLS else _WORDS[reason]


class _Call:
    """A call being written. `inside` takes the text out of the JSON it stands in; None where it stands bare."""

    __slots__ = ("closed", "inside", "kind", "spoken")

    def __init__(self, kind: str, inside: FreeText | None) -> None:
        self.kind = kind
        self.inside = inside
        self.spoken = False
        self.closed = False


class Composer:
    """Writes deltas for one answer of `origin`, the provider."""

    __slots__ = ("_calls", "_cited", "_details", "_form", "_origin", "_refused", "_thought", "characters")

    def __init__(self, form: Form, origin: str) -> None:
        self._form = form
        self._origin = origin
        self._calls: dict[int, _Call] = {}
        self._thought: list[str] = []
        self._details = 0
        self._cited = 0
        self._refused = False
        self.characters = 0
        """Of text, so far."""

    def take(self, event: Event) -> Delta | None:  # noqa: PLR0911 - one flat case for each event that is heard
        """What an event adds; None for one the dialect has no word for."""
        match event:
            case TextDelta(text):
                self.characters += len(text)
                return {"content": text}
            case ThinkingDelta(text):
                self._thought.append(text)
                return {"reasoning_content": text}
            case ThinkingClosed(signature, redacted):
                return self._proof(signature, redacted)
            case RefusalDelta(text):
                self._refused = True
                return {"refusal": text}
            case ToolCallOpened():
                return self._open(event)
            case ToolCallDelta(index, fragment):
                return self._go_on(index, fragment)
            case ToolCallClosed(index):
                return self._close(index)
            case Cited(citation):
                return self._cite(citation)
        return None

    def close(self) -> Iterable[Delta]:
        """What is held back of calls that were never finished."""
        for index, call in self._calls.items():
            if call.inside is not None and not call.closed and (delta := self._close(index)):
                yield delta

    def finish(self, reason: FinishReason) -> str:
        """The dialect's word. What was called or refused shows, whatever a provider says of it."""
        if reason in {FinishReason.STOP, FinishReason.OTHER}:
            if self._calls:
                reason = FinishReason.TOOL_CALLS
            elif self._refused:
                reason = FinishReason.REFUSAL
        return finish_word(reason, functions=self._form.functions)

    def _proof(self, signature: str | None, redacted: str | None) -> Delta | None:
        """A thought with its proof, whole, so that a caller can give both back."""
        thought, self._thought = "".join(self._thought), []
        if redacted is not None:
            proof = seal(redacted, origin=self._origin, home=HOME)
            detail: Delta = {"type": "reasoning.encrypted", "data": proof}
        elif signature is not None:
            proof = seal(signature, origin=self._origin, home=HOME)
            detail = {"type": "reasoning.text", "text": thought, "signature": proof}
        else:
            return None
        self._details += 1
        return {"reasoning_details": [{**detail, "index": self._details - 1}]}

    def _open(self, event: ToolCallOpened) -> Delta | None:
        free_form = event.custom or event.name in self._form.free_form
        kind = "custom" if free_form else "function"
        self._calls[event.index] = _Call(kind, FreeText() if free_form and not event.custom else None)
        if self._form.functions:
            return None if event.index else {"function_call": {"name": event.name, "arguments": ""}}
        text = "input" if free_form else "arguments"
        call: Delta = {"index": event.index, "id": event.id, "type": kind, kind: {"name": event.name, text: ""}}
        if event.signature is not None:
            proof = seal(event.signature, origin=self._origin, home=HOME_OF_CALLS)
            call["extra_content"] = {"google": {"thought_signature": proof}}
        return {"tool_calls": [call]}

    def _go_on(self, index: int, fragment: str) -> Delta | None:
        call = self._calls[index]
        text = fragment if call.inside is None else call.inside.feed(fragment)
        call.spoken = call.spoken or bool(text)
        return self._piece(index, call, text) if text else None

    def _close(self, index: int) -> Delta | None:
        call = self._calls[index]
        call.closed = True
        text = ""
        if call.inside is not None:
            text = call.inside.close()
        elif call.kind == "function" and not call.spoken:
            text = "{}"
        return self._piece(index, call, text) if text else None

    def _piece(self, index: int, call: _Call, text: str) -> Delta | None:
        if self._form.functions:
            return None if index else {"function_call": {"arguments": text}}
        name = "input" if call.kind == "custom" else "arguments"
        return {"tool_calls": [{"index": index, call.kind: {name: text}}]}

    def _cite(self, citation: Citation) -> Delta | None:
        """A source with an address; it stands for what was said up to here."""
        if citation.url is None:
            return None
        at = self.characters
        cited = {"start_index": at, "end_index": at, "url": citation.url, "title": citation.title or ""}
        self._cited += 1
        # The official Python SDK adds up lists by the `index` of their entries and fails without one.
        return {"annotations": [{"index": self._cited - 1, "type": "url_citation", "url_citation": cited}]}
