"""Tells the events that hold only the next piece of an answer from those that must be read.

Inside a JSON string a quotation mark is escaped, so a key is found without decoding. The first piece of each kind is
read, so that what came is known; a server that names its events otherwise is read in full.
"""

import re

from monkey_coder_server.dialects.wire import bytes_between

_KEY = '"delta":"'
_DELTA = re.compile(r'"delta": ?"((?:[^"\\]|\\.)*)"')


class Skimmer:
    """The kinds of pieces one stream has shown so far."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, name: str) -> None:
        """An event of that name was read and held a piece of the answer."""
        self._known.add(name)

    def piece(self, name: str, data: str) -> int:
        """Bytes of the answer the event holds, as they are written, never too few; 0 when it must be read."""
        if name not in self._known:
            return 0
        start = data.find(_KEY) + len(_KEY)
        end = data.find('"', start)
        if start >= len(_KEY) and end >= 0 and data.find("\\", start, end) < 0:  # nothing in it is escaped, as in most
            return bytes_between(data, start, end)
        found = _DELTA.search(data)
        return 0 if found is None else bytes_between(data, found.start(1), found.end(1))
