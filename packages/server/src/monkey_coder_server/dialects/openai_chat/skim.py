"""Tells the frames that hold only the next piece of an answer from those that must be read, without decoding them.

The frames of one stream are alike but for the piece: what stands before it and after it is learnt from a frame that
was read. A frame in which anything else differs is read in full.
"""

import re

from monkey_coder_server.dialects.wire import bytes_between

_PIECE = re.compile(
    r'"delta": ?\{(?:"[a-z_]+": ?"[^"\\]*", ?)?"(?:content|reasoning_content|reasoning)": ?"((?:[^"\\]|\\.)*)"[^\]]*\]'
)
_FINISHED = re.compile(r'"finish_reason": ?"')
_COUNTED = re.compile(r'"usage": ?\{')
_TRIES = 8
"""How often the form of the frames may change before nothing more is learnt."""
_PADDING = 24
"""OpenAI pads its frames with up to so many letters more or fewer."""


class Skimmer:
    """The form of one stream's frames."""

    __slots__ = ("_after", "_before", "_longest", "_tries")

    def __init__(self) -> None:
        self._before = ""
        self._after = ""
        self._longest = 0
        self._tries = _TRIES

    def learn(self, data: str) -> None:
        """Take the form of a frame that was read and held a piece of text."""
        if not self._tries:
            return
        self._tries -= 1
        found = _PIECE.search(data)
        after = "" if found is None else data[found.end(1) : found.end()]
        if found is None or _FINISHED.search(after) or _COUNTED.search(data):
            return
        self._before, self._after = data[: found.start(1)], after
        self._longest = len(data) - found.end(1) + _PADDING

    def piece(self, data: str) -> int:
        """Bytes of the answer the frame holds when it holds nothing else; 0 when it must be read."""
        before = self._before
        if not before or not data.startswith(before):
            return 0
        start = len(before)
        end = data.find(self._after, start)
        if end < 0 or len(data) - end > self._longest or data.find('":', start, end) >= 0:
            return 0
        return bytes_between(data, start, end)
