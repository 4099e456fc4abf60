"""The output item in which a model speaks."""

from monkey_coder_server.dialects.openai_responses.writing_frames import COMPLETED, Item, Place, Sink, delta_beginning
from monkey_coder_server.domain.conversation import Json


class MessageItem:
    """What is said: parts of text and of refusal, one open at a time."""

    __slots__ = ("_beginning", "_kind", "_length", "_notes", "_parts", "_pieces", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self._parts: list[Item] = []
        self._kind = ""
        self._pieces: list[str] = []
        self._notes: list[Json] = []
        self._length = 0
        self._beginning = b""

    def open(self, sink: Sink) -> None:
        """Announce the item."""
        added = self.item("in_progress")
        sink.say("response.output_item.added", output_index=self.place.index, item=added)

    def hear(self, kind: str, text: str, sink: Sink) -> None:
        """Take a piece of `output_text` or `refusal`."""
        if kind != self._kind:
            self._open_part(kind, sink)
        self._pieces.append(text)
        self._length += len(text)
        sink.grow(self._beginning, text)

    def cite(self, annotation: Json, sink: Sink) -> None:
        """Take a source of the text that is being said."""
        number = len(self._notes)
        self._notes.append(annotation)
        where = {**self._where, "annotation_index": number}
        sink.say("response.output_text.annotation.added", **where, annotation=annotation)

    @property
    def length(self) -> int | None:
        """Characters of the text that is being said; None when no text is."""
        return self._length if self._kind == "output_text" else None

    def close_part(self, sink: Sink) -> None:
        """End the part that is open."""
        if not self._kind:
            return
        part = self._part()
        if part["type"] == "output_text":
            sink.say("response.output_text.done", **self._where, text=part["text"], logprobs=[])
        else:
            sink.say("response.refusal.done", **self._where, refusal=part["refusal"])
        sink.say("response.content_part.done", **self._where, part=part)
        self._parts.append(part)
        self._kind = ""

    def close(self, sink: Sink, status: str = COMPLETED) -> None:
        """End the item."""
        self.close_part(sink)
        sink.say("response.output_item.done", output_index=self.place.index, item=self.item(status))

    def item(self, status: str = COMPLETED) -> Item:
        """The item as it stands."""
        content = [*self._parts, self._part()] if self._kind else list(self._parts)
        return {"id": self.place.id, "type": "message", "status": status, "content": content, "role": "assistant"}

    def _open_part(self, kind: str, sink: Sink) -> None:
        self.close_part(sink)
        self._kind, self._pieces, self._notes, self._length = kind, [], [], 0
        more = f'"content_index":{len(self._parts)},'
        if kind == "output_text":
            self._beginning = delta_beginning("response.output_text.delta", self.place, more=f'{more}"logprobs":[],')
        else:
            self._beginning = delta_beginning("response.refusal.delta", self.place, more=more)
        sink.say("response.content_part.added", **self._where, part=self._part())

    def _part(self) -> Item:
        text = "".join(self._pieces)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "annotations": list(self._notes), "logprobs": [], "text": text}

    @property
    def _where(self) -> Item:
        return {"item_id": self.place.id, "output_index": self.place.index, "content_index": len(self._parts)}
