"""Makes output items of the neutral events of an answer: streamed frames, and the whole output, from one pass."""

from typing import Final

from monkey_coder_server.dialects.openai_responses.sealed import seal_call, seal_thought
from monkey_coder_server.dialects.openai_responses.tool_names import ToolNames
from monkey_coder_server.dialects.openai_responses.writing_frames import COMPLETED, INCOMPLETE, Item, Place, Sink
from monkey_coder_server.dialects.openai_responses.writing_items import CallItem, GivenItem, ReasoningItem, SearchItem
from monkey_coder_server.dialects.openai_responses.writing_message import MessageItem
from monkey_coder_server.dialects.wire import as_count, as_object, as_text
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)

_LONGEST_QUERY: Final = 1_000
_OWN_ITEMS: Final = frozenset(
    {
        *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
        *("mcp_call", "mcp_list_tools", "mcp_approval_request", "tool_search_call", "tool_search_output"),
        *("computer_call", "shell_call", "local_shell_call", "apply_patch_call", "compaction"),
    }
)
"""Items a provider of this dialect gives that are passed on as they are."""


class Composer:
    """One answer as it grows. `origin` is the provider that answers, `suffix` makes the ids of its items unique."""

    __slots__ = ("_calls", "_names", "_notes", "_open", "_origin", "_output", "_suffix", "given", "sink")

    def __init__(self, names: ToolNames, *, origin: str, suffix: str) -> None:
        self.sink = Sink()
        self._names = names
        self._origin = origin
        self._suffix = suffix
        self._output: list[Item | None] = []
        self._open: MessageItem | ReasoningItem | None = None
        self._calls: dict[int, CallItem] = {}
        self._notes: list[Citation] = []
        self.given = False
        """Whether the answer holds an item its provider gave as it is."""

    def take(self, event: Event) -> None:
        """Write what an event says. The end of an answer and its usage are told by others."""
        match event:
            case TextDelta(text):
                self._speak("output_text", text)
            case ToolCallDelta(index, fragment):
                self._calls[index].hear(fragment, self.sink)
            case ThinkingDelta(text):
                self._think(text)
            case ThinkingClosed(signature, redacted):
                self._prove(signature, redacted)
            case RefusalDelta(text):
                self._speak("refusal", text)
            case ToolCallOpened():
                self._call(event)
            case ToolCallClosed(index):
                self._finish(self._calls.pop(index), COMPLETED)
            case Cited(citation):
                self._cite(citation)
            case ServerItem(kind, raw):
                self._ran(kind, raw)
            case _:
                pass

    def close(self, *, complete: bool) -> None:
        """End what is open; `complete` False: it was cut off."""
        status = COMPLETED if complete else INCOMPLETE
        self._close_open(status)
        for call in self._calls.values():
            self._finish(call, status)
        self._calls.clear()

    @property
    def output(self) -> list[Item]:
        """All items, once they are closed."""
        return [item for item in self._output if item is not None]

    @property
    def refuses(self) -> bool:
        """Whether a refusal stands in the answer."""
        parts = (part for item in self.output if item["type"] == "message" for part in item["content"])
        return any(part["type"] == "refusal" for part in parts)

    def _speak(self, kind: str, text: str) -> None:
        if not text:
            return
        current = self._open
        if not isinstance(current, MessageItem):
            self._close_open()
            current = self._open = MessageItem(self._place("msg"))
            current.open(self.sink)
        current.hear(kind, text, self.sink)
        if self._notes and kind == "output_text":
            notes, self._notes = self._notes, []
            for citation in notes:
                self._cite(citation)

    def _think(self, text: str) -> None:
        if text:
            self._thought().hear(text, self.sink)

    def _prove(self, signature: str | None, redacted: str | None) -> None:
        """A thought ended; one whose words we never saw still has its proof."""
        if isinstance(self._open, ReasoningItem) or signature or redacted:
            self._thought().proof = seal_thought(signature=signature, redacted=redacted, origin=self._origin)
            self._close_open()

    def _thought(self) -> ReasoningItem:
        current = self._open
        if not isinstance(current, ReasoningItem):
            self._close_open()
            current = self._open = ReasoningItem(self._place("rs"))
            current.proof = seal_thought(signature=None, redacted=None, origin=self._origin)
            current.open(self.sink)
        return current

    def _call(self, event: ToolCallOpened) -> None:
        self._close_open()
        if event.signature:
            proof = ReasoningItem(self._place("rs"))
            proof.proof = seal_call(event.signature, self._origin)
            proof.open(self.sink)
            self._finish(proof, COMPLETED)
        spoken = self._names.spoken(event.name)
        if event.custom and not spoken.custom:
            spoken = spoken._replace(custom=True)
        place = self._place("ctc" if spoken.custom else "fc")
        call = CallItem(place, event.id, spoken, unwrap=spoken.custom and not event.custom)
        self._calls[event.index] = call
        call.open(self.sink)

    def _cite(self, citation: Citation) -> None:
        """A source belongs to the text before it; one that came early waits for the text."""
        current = self._open
        length = current.length if isinstance(current, MessageItem) else None
        if not isinstance(current, MessageItem) or length is None:
            self._notes.append(citation)
            return
        annotation = _annotation(citation, length)
        if annotation is not None:
            current.cite(annotation, self.sink)

    def _ran(self, kind: str, raw: Json) -> None:
        """Something the provider ran itself. Of other dialects' items, only a web search has a like here."""
        if kind in _OWN_ITEMS and isinstance(raw, dict) and raw.get("type") == kind:
            self._add(GivenItem(self._place(""), raw))
            self.given = True
        elif "search" in kind and (query := _query(raw)) is not None:
            self._add(SearchItem(self._place("ws"), query))

    def _add(self, item: GivenItem | SearchItem) -> None:
        self._close_open()
        item.open(self.sink)
        self._finish(item, COMPLETED)

    def _place(self, prefix: str) -> Place:
        self._output.append(None)
        index = len(self._output) - 1
        return Place(index, f"{prefix}_{self._suffix}{index:04x}")

    def _close_open(self, status: str = COMPLETED) -> None:
        current, self._open = self._open, None
        if current is not None:
            self._finish(current, status)

    def _finish(self, item: MessageItem | ReasoningItem | CallItem | SearchItem | GivenItem, status: str) -> None:
        item.close(self.sink, status)
        self._output[item.place.index] = item.item(status)


def _annotation(citation: Citation, length: int) -> Json:
    """`url_citation`; where the source belongs in the text is kept if it was said, else it stands for what came."""
    if citation.url is None:
        return None
    raw = as_object(citation.raw)
    raw = as_object(raw.get("url_citation")) or raw
    start, end = as_count(raw.get("start_index")), as_count(raw.get("end_index"))
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title or "",
        "start_index": 0 if start is None else start,
        "end_index": length if end is None else end,
    }


def _query(raw: Json) -> str | None:
    """What was searched for, at the places the providers say it."""
    record = as_object(raw)
    for place in (record, as_object(record.get("input")), as_object(record.get("action"))):
        query = as_text(place.get("query"))
        if query:
            return query[:_LONGEST_QUERY]
    return None
