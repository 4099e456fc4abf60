"""Pages of libraries' files that a start has touched and serving does not, taken out of the process once.

Loading a library reads through most of it. What serving needs comes back from the kernel's cache of files at its next
use, some pages at a time; what it does not need is nobody's until then, and the kernel may forget it.
"""

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_SMAPS = Path("/proc/self/smaps")
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r-[x-]p) \S+ \S+ \S+ +/")
"""Of a file's part that this process reads or runs and never writes."""
_OWN = re.compile(r"Anonymous: +(\d+) kB")
"""What a part has of its own: pages that were written before it was closed to writing. They are in no file."""


def let_go_of_files() -> None:
    """Unmap every page that is as it stands in its file; nothing happens where the kernel does not tell of them."""
    advise = getattr(ctypes.CDLL(None), "madvise", None)
    if advise is None or not _SMAPS.exists():
        return
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in list(_untouched(_SMAPS.read_text(encoding="utf-8", errors="surrogateescape"))):
        advise(start, end - start, mmap.MADV_DONTNEED)


def _untouched(smaps: str) -> Iterator[tuple[int, int]]:
    """Where the parts of files begin and end that have no page of their own."""
    part: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if head := _HEAD.match(line):
            part = (int(head[1], 16), int(head[2], 16))
        elif line[:1] in "0123456789abcdef":
            part = None
        elif part is not None and (own := _OWN.match(line)) and own[1] == "0":
            yield part
