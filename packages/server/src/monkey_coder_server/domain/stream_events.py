"""What a model's answer is made of, as it arrives; a whole answer is the fold of its events.

Every dialect decodes into this one vocabulary, streamed or not, so that "chunked equals whole" is
one property. Order: `Opened` first, any number of content events, `UsageReported` (the last one
counts), then exactly one of `Finished` and `Failed`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from monkey_coder_server.domain.conversation import Citation, Json, Part, Refusal, Text, Thinking, ToolCall
from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.domain.usage import ReportedUsage


class FinishReason(StrEnum):
    """Why the model stopped. `MALFORMED_CALL`: it tried to call a tool and failed; never a plain stop."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    MALFORMED_CALL = "malformed_call"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Opened:
    """The provider accepted: its own response id and model name."""

    response_id: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of answer text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of reasoning text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingClosed:
    """A reasoning block ended, with its signature or, for a redacted block, its opaque data."""

    signature: str | None = None
    redacted: str | None = None


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """A piece of refusal text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallOpened:
    """A tool call begins. `index` numbers the calls of one answer from 0; `id` is ours where the provider gave none."""

    index: int
    id: str
    name: str
    custom: bool = False
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of a call's arguments (JSON text)."""

    index: int
    fragment: str


@dataclass(frozen=True, slots=True)
class ToolCallClosed:
    """The call's arguments are complete."""

    index: int


@dataclass(frozen=True, slots=True)
class Cited:
    """A source for what was said."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class ServerItem:
    """Something the provider ran itself (web search, code execution); `raw` as it came."""

    type: str
    raw: Json


@dataclass(frozen=True, slots=True)
class Computed:
    """One result of a model that is not for talking: the vector of an input, the verdict on it. Never streamed."""

    value: Json


@dataclass(frozen=True, slots=True)
class UsageReported:
    """The provider's own numbers; a later report replaces an earlier one."""

    usage: ReportedUsage


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete; `native` is the provider's own word."""

    reason: FinishReason
    native: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider reported an error after it had begun to answer, or stopped without an end."""

    failure: ProviderFailure


class Frame(NamedTuple):
    """One server-sent event as the provider wrote it, for a caller of the same dialect; it carries no error.

    What it means for us stands in the events after it, unless it was only skimmed: then it holds nothing but
    `skimmed` bytes (at least) of the answer's next piece.
    """

    event: str
    data: str
    skimmed: int = 0


Event: TypeAlias = (
    Frame
    | Opened
    | TextDelta
    | ThinkingDelta
    | ThinkingClosed
    | RefusalDelta
    | ToolCallOpened
    | ToolCallDelta
    | ToolCallClosed
    | Cited
    | ServerItem
    | Computed
    | UsageReported
    | Finished
    | Failed
)


@dataclass(slots=True)
class Answer:
    """A whole answer, folded from events by `apply`. Mutable while it grows."""

    response_id: str | None = None
    model: str | None = None
    text: list[str] = field(default_factory=list)
    thinking: list[Thinking] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    server_items: list[ServerItem] = field(default_factory=list)
    computed: int = 0
    """How many results there are; they stay in their events."""
    usage: ReportedUsage | None = None
    finish: FinishReason | None = None
    native_finish: str | None = None
    failure: ProviderFailure | None = None
    skimmed: int = 0
    """Bytes of content that were relayed unread."""
    _thought: list[str] = field(default_factory=list)
    _arguments: list[list[str]] = field(default_factory=list)

    def apply(self, event: Event) -> None:  # noqa: C901, PLR0912 - one flat case for each event of the vocabulary
        """Take the next event; events must come in order. What every answer has is looked for first."""
        match event:
            case TextDelta(text):
                self.text.append(text)
            case UsageReported(usage):
                self.usage = usage
            case Opened(response_id, model):
                self.response_id, self.model = response_id, model
            case Finished(reason, native):
                self.close_open_blocks()
                self.finish, self.native_finish = reason, native
            case ThinkingDelta(text):
                self._thought.append(text)
            case ThinkingClosed(signature, redacted):
                self._close_thinking(signature, redacted)
            case RefusalDelta(text):
                self.refusal.append(text)
            case ToolCallOpened():
                self.calls.append(ToolCall(event.id, event.name, "", event.custom, event.signature))
                self._arguments.append([])
            case ToolCallDelta(index, fragment):
                self._arguments[index].append(fragment)
            case ToolCallClosed(index):
                self._close_call(index)
            case Cited(citation):
                self.citations.append(citation)
            case ServerItem():
                self.server_items.append(event)
            case Computed():
                self.computed += 1
            case Failed(failure):
                self.close_open_blocks()
                self.failure = failure
            case _:  # Frame, the only event left
                self.skimmed += event.skimmed

    def parts(self) -> tuple[Part, ...]:
        """The answer as an assistant message's parts: thinking, text, refusal, calls."""
        said: list[Part] = list(self.thinking)
        if self.text:
            said.append(Text("".join(self.text), citations=tuple(self.citations)))
        if self.refusal:
            said.append(Refusal("".join(self.refusal)))
        said.extend(self.calls)
        return tuple(said)

    def close_open_blocks(self) -> None:
        """Keep what open blocks hold so far: the answer ends here, with or without a word from the provider."""
        if self._thought:
            self._close_thinking(None, None)
        for index, call in enumerate(self.calls):
            if not call.arguments and self._arguments[index]:
                self._close_call(index)

    def _close_thinking(self, signature: str | None, redacted: str | None) -> None:
        self.thinking.append(Thinking("".join(self._thought), signature, redacted))
        self._thought = []

    def _close_call(self, index: int) -> None:
        call = self.calls[index]
        arguments = "".join(self._arguments[index])
        self.calls[index] = ToolCall(call.id, call.name, arguments, call.custom, call.signature, call.origin)
