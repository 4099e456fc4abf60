"""Server-sent events whose JSON is one line for every reader."""

import msgspec

from monkey_coder_server.domain.conversation import Json

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


def frame(event: str, data: bytes) -> bytes:
    """An event of that name."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data)
