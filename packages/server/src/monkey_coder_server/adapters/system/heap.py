"""What glibc keeps of freed memory, given back to the kernel.

It gives back by itself only what is free at the heap's end. After many long prompts at once a dozen MiB lie between
what lives on.
"""

import asyncio
import ctypes
from collections.abc import Callable

EVERY_SECONDS = 10.0
"""Giving back takes about a millisecond, in which nothing else runs."""


def trim_of_libc() -> Callable[[], object] | None:
    """Gives back whole pages that hold nothing, wherever they lie; None where the C library has no such function."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None if trim is None else lambda: trim(0)


def keep_trimmed(trim: Callable[[], object] | None) -> None:
    """Call it now and every `EVERY_SECONDS` for as long as the running loop runs."""
    if trim is not None:
        trim()
        asyncio.get_running_loop().call_later(EVERY_SECONDS, keep_trimmed, trim)
