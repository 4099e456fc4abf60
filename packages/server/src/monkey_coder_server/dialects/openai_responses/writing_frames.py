"""The frames of a streamed answer: numbered in order, each named after the type of its JSON."""

from typing import Final

import msgspec

from monkey_coder_server.dialects.event_frames import frame, one_line
from monkey_coder_server.domain.conversation import Json

COMPLETED: Final = "completed"
INCOMPLETE: Final = "incomplete"
Item = dict[str, Json]


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an item stands in the answer, and its id."""

    index: int
    id: str


class Sink:
    """Numbers frames and gathers them until they are taken."""

    __slots__ = ("_frames", "number")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self.number = 0

    def say(self, kind: str, **fields: Json) -> None:
        """Write one event."""
        data = one_line({"type": kind, **fields, "sequence_number": self.number})
        self._frames.append(frame(kind, data))
        self.number += 1

    def grow(self, beginning: bytes, text: str) -> None:
        """Write one delta; `beginning` is all of it that stands before its text."""
        self._frames.append(b'%s%s,"sequence_number":%d}\n\n' % (beginning, one_line(text), self.number))
        self.number += 1

    def drop(self, number: int) -> None:
        """Forget what was not taken, and go on from a number."""
        self._frames.clear()
        self.number = number

    def take(self) -> bytes:
        """The frames since the last call."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


def delta_beginning(kind: str, place: Place, *, more: str = "") -> bytes:
    """A delta event up to its text. `more` are further fields as JSON, each with a comma after it."""
    where = f'"item_id":{one_line(place.id).decode()},"output_index":{place.index},{more}'
    return f'event: {kind}\ndata: {{"type":"{kind}",{where}"delta":'.encode()
