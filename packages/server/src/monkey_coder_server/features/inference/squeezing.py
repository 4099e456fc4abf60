"""Compression of answers that are kept: fast rather than tight."""

import zlib

_FASTEST = 1
_WINDOW, _MEMORY = 12, 5
"""Compression takes 32 KiB a text so, not 256: taking and clearing those costs a short answer ten times its own."""
_WIDE_WINDOW, _WIDE_MEMORY = 15, 8
"""zlib's own choice, where there is enough text to look back on."""


def squeezer(size: int = 0) -> "zlib._Compress":
    """Compresses a text of so many bytes, or a stream of which nobody knows yet how long it gets."""
    window, memory = (_WINDOW, _MEMORY) if size < 1 << _WIDE_WINDOW else (_WIDE_WINDOW, _WIDE_MEMORY)
    return zlib.compressobj(_FASTEST, zlib.DEFLATED, window, memory)


def squeezed(text: bytes) -> bytes:
    """A whole text, in zlib's format."""
    squeeze = squeezer(len(text))
    return squeeze.compress(text) + squeeze.flush()
