"""The output items beside messages: thoughts, calls and searches, each writing its frames from opening to end."""

from monkey_coder_server.dialects.openai_responses.tool_names import Spoken
from monkey_coder_server.dialects.openai_responses.writing_frames import COMPLETED, Item, Place, Sink, delta_beginning
from monkey_coder_server.dialects.unwrapping import FreeText


class ReasoningItem:
    """A thought: one summary part, and a proof that says whose it is."""

    __slots__ = ("_beginning", "_pieces", "place", "proof")

    def __init__(self, place: Place, proof: str | None = None) -> None:
        self.place = place
        self.proof = proof
        self._pieces: list[str] = []
        self._beginning = b""

    def open(self, sink: Sink) -> None:
        """Announce the item."""
        added = {"id": self.place.id, "type": "reasoning", "summary": []}
        sink.say("response.output_item.added", output_index=self.place.index, item=added)

    def hear(self, text: str, sink: Sink) -> None:
        """Take a piece of the thought."""
        if not self._pieces:
            self._beginning = delta_beginning(
                "response.reasoning_summary_text.delta", self.place, more='"summary_index":0,'
            )
            part = {"type": "summary_text", "text": ""}
            sink.say("response.reasoning_summary_part.added", **self._where, part=part)
        self._pieces.append(text)
        sink.grow(self._beginning, text)

    def close(self, sink: Sink, _status: str = COMPLETED) -> None:
        """End the item."""
        item = self.item()
        for part in item["summary"]:
            sink.say("response.reasoning_summary_text.done", **self._where, text=part["text"])
            sink.say("response.reasoning_summary_part.done", **self._where, part=part)
        sink.say("response.output_item.done", output_index=self.place.index, item=item)

    def item(self, _status: str = COMPLETED) -> Item:
        """The item as it stands; a thought has no status."""
        text = "".join(self._pieces)
        summary = [{"type": "summary_text", "text": text}] if text else []
        item: Item = {"id": self.place.id, "type": "reasoning", "summary": summary}
        return item if self.proof is None else {**item, "encrypted_content": self.proof}

    @property
    def _where(self) -> Item:
        return {"item_id": self.place.id, "output_index": self.place.index, "summary_index": 0}


class CallItem:
    """A call of one of the caller's tools. `unwrap`: a free-form tool's text comes in JSON."""

    __slots__ = ("_beginning", "_call_id", "_free", "_pieces", "_spoken", "place")

    def __init__(self, place: Place, call_id: str, spoken: Spoken, *, unwrap: bool = False) -> None:
        self.place = place
        self._call_id = call_id
        self._spoken = spoken
        self._pieces: list[str] = []
        self._free = FreeText() if unwrap else None
        kind = "response.custom_tool_call_input.delta" if spoken.custom else "response.function_call_arguments.delta"
        self._beginning = delta_beginning(kind, place)

    def open(self, sink: Sink) -> None:
        """Announce the item."""
        sink.say("response.output_item.added", output_index=self.place.index, item=self.item("in_progress"))

    def hear(self, fragment: str, sink: Sink) -> None:
        """Take a piece of the arguments."""
        text = fragment if self._free is None else self._free.feed(fragment)
        if text:
            self._grow(text, sink)

    def close(self, sink: Sink, status: str = COMPLETED) -> None:
        """End the item. A call without arguments has empty ones, unless it was cut off before they came."""
        if self._free is not None and (rest := self._free.close()):
            self._grow(rest, sink)
        if not self._pieces and not self._spoken.custom and status == COMPLETED:
            self._grow("{}", sink)
        item = self.item(status)
        where = {"item_id": self.place.id, "output_index": self.place.index}
        if self._spoken.custom:
            sink.say("response.custom_tool_call_input.done", **where, input=item["input"])
        else:
            name, arguments = self._spoken.name, item["arguments"]
            sink.say("response.function_call_arguments.done", **where, name=name, arguments=arguments)
        sink.say("response.output_item.done", output_index=self.place.index, item=item)

    def item(self, status: str = COMPLETED) -> Item:
        """The item as it stands."""
        spoken, written = self._spoken, "".join(self._pieces)
        kind, field = ("custom_tool_call", "input") if spoken.custom else ("function_call", "arguments")
        item: Item = {"id": self.place.id, "type": kind, "status": status, field: written}
        item |= {"call_id": self._call_id, "name": spoken.name}
        return item if spoken.namespace is None else {**item, "namespace": spoken.namespace}

    def _grow(self, text: str, sink: Sink) -> None:
        self._pieces.append(text)
        sink.grow(self._beginning, text)


class GivenItem:
    """An item of this dialect as its provider gave it, whole."""

    __slots__ = ("_item", "place")

    def __init__(self, place: Place, item: Item) -> None:
        self.place = place
        self._item = item

    def open(self, sink: Sink) -> None:
        """Announce the item."""
        sink.say("response.output_item.added", output_index=self.place.index, item=self._item)

    def close(self, sink: Sink, _status: str = COMPLETED) -> None:
        """End the item."""
        sink.say("response.output_item.done", output_index=self.place.index, item=self._item)

    def item(self, _status: str = COMPLETED) -> Item:
        """The item."""
        return self._item


class SearchItem:
    """A web search the provider ran itself; it was over when we heard of it."""

    __slots__ = ("_query", "place")

    def __init__(self, place: Place, query: str) -> None:
        self.place = place
        self._query = query

    def open(self, sink: Sink) -> None:
        """Announce the item."""
        sink.say("response.output_item.added", output_index=self.place.index, item=self.item("in_progress"))

    def close(self, sink: Sink, status: str = COMPLETED) -> None:
        """End the item."""
        where = {"item_id": self.place.id, "output_index": self.place.index}
        for step in ("in_progress", "searching", "completed"):
            sink.say(f"response.web_search_call.{step}", **where)
        sink.say("response.output_item.done", output_index=self.place.index, item=self.item(status))

    def item(self, status: str = COMPLETED) -> Item:
        """The item as it stands."""
        action = {"type": "search", "query": self._query}
        return {"id": self.place.id, "type": "web_search_call", "status": status, "action": action}
