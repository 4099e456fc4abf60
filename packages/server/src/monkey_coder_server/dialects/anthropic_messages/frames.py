"""Server-sent events as Anthropic writes them: named after the type of their JSON, one line of data each."""

from typing import Final

import msgspec

from monkey_coder_server.domain.conversation import Json

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_encode = msgspec.json.Encoder().encode
_LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Characters beyond ASCII at which some readers of event streams break a line (httpx's line decoder, for one)."""


def one_line(value: Json) -> bytes:
    """JSON that nobody takes for several lines."""
    written = _encode(value)
    if not written.isascii():
        for character, escape in _LINE_ENDS:
            written = written.replace(character, escape)
    return written


def frame(record: dict[str, Json]) -> bytes:
    """An event from its JSON."""
    return b"event: %s\ndata: %s\n\n" % (str(record["type"]).encode(), one_line(record))


class FrameSink:
    """Gathers the frames of blocks until they are taken; what comes before the value of a delta is written once."""

    __slots__ = ("_beginnings", "_frames")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._beginnings: dict[tuple[int, str], bytes] = {}

    def start(self, index: int, block: dict[str, Json]) -> None:
        """Write `content_block_start`."""
        self._frames.append(frame({"type": "content_block_start", "index": index, "content_block": block}))

    def grow(self, index: int, kind: str, name: str, value: Json) -> None:
        """Write `content_block_delta`."""
        beginning = self._beginnings.get((index, kind))
        if beginning is None:
            record = f'{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{name}":'
            beginning = self._beginnings[index, kind] = f"event: content_block_delta\ndata: {record}".encode()
        self._frames.append(b"%s%s}}\n\n" % (beginning, one_line(value)))

    def stop(self, index: int) -> None:
        """Write `content_block_stop`."""
        self._frames.append(stop_frame(index))
        for kind in [kind for at, kind in self._beginnings if at == index]:
            del self._beginnings[index, kind]

    def take(self) -> bytes:
        """The frames since the last call."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


def stop_frame(index: int) -> bytes:
    """The end of a block."""
    return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index
