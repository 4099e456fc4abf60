"""Splits a JSON array that arrives bit by bit into its elements, each byte looked at once."""

import re

_LIMIT = 16 * 1024 * 1024
_OUTSIDE_STRINGS = re.compile(rb'[{}"]')
_INSIDE_STRINGS = re.compile(rb'["\\]')


class ElementTooLong(ValueError):
    """One element grew beyond the splitter's bound."""


class ArraySplitter:
    """Feed bytes, get whole objects of the outermost array (or the one object that stands alone)."""

    __slots__ = ("_depth", "_element", "_escaped", "_quoted")

    def __init__(self) -> None:
        self._element = bytearray()
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes; return the elements they complete. Raises `ElementTooLong`."""
        whole: list[bytes] = []
        start = at = 0
        while found := self._next_brace(piece, at):
            at = found.end()
            if found.group() == b"{":
                start = found.start() if self._depth == 0 else start
                self._depth += 1
            elif self._depth > 0:
                self._depth -= 1
                if self._depth == 0:
                    whole.append(bytes(self._element + piece[start:at]))
                    self._element.clear()
        if self._depth > 0:
            self._element += piece[start:]
            if len(self._element) > _LIMIT:
                sentence = f"a streamed record is longer than {_LIMIT} bytes"
                raise ElementTooLong(sentence)
        return whole

    def _next_brace(self, piece: bytes, at: int) -> re.Match[bytes] | None:
        """The next brace that is no part of a string."""
        while True:
            if self._quoted:
                at = self._leave_string(piece, at)
                if self._quoted:
                    return None
            found = _OUTSIDE_STRINGS.search(piece, at)
            if found is None or found.group() != b'"':
                return found
            self._quoted = True
            at = found.end()

    def _leave_string(self, piece: bytes, at: int) -> int:
        """Where the string we are in ends, or the end of the piece."""
        if self._escaped and at < len(piece):
            self._escaped = False
            at += 1
        while found := _INSIDE_STRINGS.search(piece, at):
            at = found.end()
            if found.group() == b'"':
                self._quoted = False
                return at
            if at == len(piece):
                self._escaped = True
            at += 1
        return len(piece)
