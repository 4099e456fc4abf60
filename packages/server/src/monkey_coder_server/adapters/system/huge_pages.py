"""Memory that stays, moved to pages of 2 MiB: a request touches more of it than a processor's table of pages holds.

Only what is there when it is asked for is moved, and nothing that comes later becomes larger by it. Linux from 6.1 on
does that (`MADV_COLLAPSE`); elsewhere, and where too little memory is in one piece, all stays as it is.
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SIZE = 2 * 1024 * 1024
_COLLAPSE = 25
_MAPS = Path("/proc/self/maps")


def collapse() -> None:
    """Move what this process has in memory of its own."""
    advise = _madvise()
    if advise is None:
        return
    try:
        mapped = _MAPS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    for start, end in anonymous(mapped):
        for piece in range(start, end, SIZE):  # by one: a piece that cannot be moved spoils no other
            advise(piece, SIZE, _COLLAPSE)


def anonymous(mapped: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where pages of 2 MiB fit whole into writable private memory that is no file's; `mapped` as in /proc/PID/maps."""
    for line in mapped:
        addresses, permissions, _, _, inode = line.split(maxsplit=5)[:5]
        if permissions == "rw-p" and inode == "0":
            low, high = (int(each, 16) for each in addresses.split("-"))
            start, end = -(-low // SIZE) * SIZE, high // SIZE * SIZE
            if start < end:
                yield start, end


def _madvise() -> Callable[[int, int, int], int] | None:
    found = getattr(ctypes.CDLL(None), "madvise", None)
    if found is None:
        return None
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return found  # type: ignore[no-any-return] # ctypes calls any function so
