"""What a relayed stream has said so far: enough to end it properly should its provider not."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from monkey_coder_server.dialects.openai_responses.writing_frames import Item, Sink
from monkey_coder_server.dialects.wire import as_list, as_object, parse_json
from monkey_coder_server.domain.conversation import Json

_NOTHING: Final = Raw()
_TEXT_OF: Final = {"output_text": "text", "summary_text": "text", "reasoning_text": "text", "refusal": "refusal"}
_ARGUMENTS_OF: Final = {
    "function_call": ("arguments", "response.function_call_arguments.done"),
    "custom_tool_call": ("input", "response.custom_tool_call_input.done"),
    "mcp_call": ("arguments", "response.mcp_call_arguments.done"),
    "code_interpreter_call": ("code", "response.code_interpreter_call_code.done"),
}
"""By the type of an item: what its deltas add up to, and the event that says so."""

_NEEDED: Final = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
"""OpenAI itself leaves lists of MCP tools open in some streams."""


class _Seen(msgspec.Struct, gc=False):
    """What matters of any event."""

    sequence_number: int = -1
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: str = ""
    item: Raw = _NOTHING
    part: Raw = _NOTHING
    annotation: Raw = _NOTHING
    response: Raw = _NOTHING


_decode = msgspec.json.Decoder(_Seen).decode


class OpenItem:
    """An item that was announced and not ended."""

    __slots__ = ("_item", "_parts", "_pieces", "_told")

    def __init__(self, item: Item) -> None:
        self._item = item
        self._parts: dict[int, Item] = {}
        self._pieces: dict[int, list[str]] = {}
        self._told: set[int] = set()
        """Parts whose end the caller has seen."""

    @property
    def kind(self) -> str:
        """The type of the item."""
        return str(self._item.get("type"))

    def hear(self, at: int, text: str) -> None:
        """A piece of a part, or of the arguments of a call."""
        pieces = self._pieces.get(at)
        if pieces is None:
            pieces = self._pieces[at] = []
        pieces.append(text)

    def begin_part(self, at: int, part: Item) -> None:
        """A part was announced."""
        self._parts[at] = part

    def end_part(self, at: int, part: Item) -> None:
        """A part was ended."""
        self._parts[at] = part
        self._pieces.pop(at, None)
        self._told.add(at)

    def note(self, at: int, annotation: Json) -> None:
        """A part was annotated."""
        if at in self._parts:
            self._parts[at].setdefault("annotations", []).append(annotation)

    def close(self, index: int, sink: Sink, *, status: str, final: Item | None) -> Item:
        """Write the frames that end it; the whole item, as its provider gave it in the end, or else as we heard it."""
        item = dict(self._item)
        kind = self.kind
        where = {"item_id": item.get("id"), "output_index": index}
        if kind in _ARGUMENTS_OF:
            field, event = _ARGUMENTS_OF[kind]
            item[field] = "".join(self._pieces.get(0, ())) or item.get(field) or ""
            sink.say(event, **where, **{field: item[field]})
        else:
            parts = list(self._close_parts(kind, where, sink))
            if kind == "message":
                item["content"] = parts
            elif kind == "reasoning":
                item["summary"] = parts
        if item.get("status") is not None:
            item["status"] = status
        whole = item if final is None else final
        sink.say("response.output_item.done", output_index=index, item=whole)
        return whole

    def _close_parts(self, kind: str, where: Item, sink: Sink) -> Iterator[Item]:
        for at in sorted(self._parts.keys() | self._pieces.keys()):
            part = self._parts.get(at) or {"type": "summary_text" if kind == "reasoning" else "output_text"}
            field = _TEXT_OF.get(str(part.get("type")), "text")
            if at not in self._told:
                part = {**part, field: "".join(self._pieces.get(at, ()))}
                place = {**where, "summary_index" if kind == "reasoning" else "content_index": at}
                _say_end(part, field, place, sink)
            yield part


class Heard:
    """Everything that was said of one response. `number` is the next event's."""

    __slots__ = ("done", "number", "open", "response")

    def __init__(self) -> None:
        self.number = 0
        self.response: dict[str, Raw] = {}
        self.open: dict[int, OpenItem] = {}
        self.done: dict[int, Json] = {}

    def see(self, kind: str, data: str) -> None:
        """Take an event. What cannot be read was passed on all the same, and is not kept."""
        try:
            seen = _decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.number += 1
            return
        self.number = max(self.number, seen.sequence_number) + 1
        if seen.delta:
            current = self.open.get(seen.output_index)
            if current is not None:
                current.hear(seen.content_index or seen.summary_index, seen.delta)
        elif seen.response:
            self.response = msgspec.json.decode(seen.response, type=dict[str, Raw])
        elif seen.item or seen.part or seen.annotation:
            self._see_item(kind, seen)

    def _see_item(self, kind: str, seen: _Seen) -> None:
        index, at = seen.output_index, seen.content_index or seen.summary_index
        if kind == "response.output_item.added":
            self.open[index] = OpenItem(as_object(parse_json(seen.item)))
            return
        if kind == "response.output_item.done":
            self.open.pop(index, None)
            self.done[index] = Raw.copy(seen.item)
            return
        current = self.open.get(index)
        if current is None:
            return
        if seen.annotation:
            current.note(at, parse_json(seen.annotation))
        elif kind.endswith("part.added"):
            current.begin_part(at, as_object(parse_json(seen.part)))
        elif kind.endswith("part.done"):
            current.end_part(at, as_object(parse_json(seen.part)))

    def close(self, sink: Sink, *, status: str, final: Json = None) -> list[Json]:
        """End what is open; the whole output.

        `final` is the output as its provider gave it in the end; then only what callers act on needs an end of ours.
        """
        given = as_list(final)
        for index in sorted(self.open):
            item = self.open[index]
            whole = as_object(given[index]) if index < len(given) else None
            if final is None or item.kind in _NEEDED:
                self.done[index] = item.close(index, sink, status=status, final=whole)
        self.open.clear()
        return [self.done[index] for index in sorted(self.done)]


def _say_end(part: Item, field: str, place: Item, sink: Sink) -> None:
    """What ends a part: its whole text, then the part itself."""
    if "summary_index" in place:
        sink.say("response.reasoning_summary_text.done", **place, text=part[field])
        sink.say("response.reasoning_summary_part.done", **place, part=part)
        return
    if part["type"] == "refusal":
        sink.say("response.refusal.done", **place, refusal=part[field])
    else:
        sink.say("response.output_text.done", **place, text=part[field], logprobs=[])
    sink.say("response.content_part.done", **place, part=part)
