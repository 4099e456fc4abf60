"""How the records of a streamed answer follow each other: as server-sent events, or as one JSON array."""

import re
from json.encoder import encode_basestring_ascii
from typing import Protocol

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


class Framing(Protocol):
    """One stream's. `opening` goes out first, `closing` last."""

    opening: bytes
    closing: bytes

    def record(self, body: bytes) -> bytes:
        """One record as it goes out."""


def framing_of(*, events: bool) -> Framing:
    """The framing the caller asked for."""
    return Events() if events else Elements()


class Events:
    """`data:` lines and nothing else. Only ASCII leaves: published clients split lines at U+2028, too."""

    __slots__ = ()

    opening = b""
    closing = b""

    def record(self, body: bytes) -> bytes:
        """One event."""
        if not body.isascii():
            body = _BEYOND_ASCII.sub(_escaped, body.decode("utf-8", "replace")).encode("ascii")
        return b"data: " + body + b"\n\n"


class Elements:
    """The elements of one JSON array, as Google's servers write it."""

    __slots__ = ("_between",)

    opening = b"["
    closing = b"]"

    def __init__(self) -> None:
        self._between = b""

    def record(self, body: bytes) -> bytes:
        """One element, with the comma before it."""
        between, self._between = self._between, b",\r\n"
        return between + body


def _escaped(run: re.Match[str]) -> str:
    return encode_basestring_ascii(run[0])[1:-1]
