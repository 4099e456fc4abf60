"""What requests came to that nothing is delivered of yet, each in a slot of one file that is written in place.

A `pwrite` puts it where the death of this process cannot reach it, though that of the machine can: no charge is lost
then, only what a provider may bill. It takes 3 us and nobody waits, where a row takes 40 us and a commit.

A slot holds the values of a row of `file.open_requests`, each with its length before it; no request is a free slot.
The records carry their own checksums (`encoding`).
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SLOT_BYTES = 2_048
"""A request's first call takes some 800; what has no room here gets a row."""
SLOTS = 4_096

_LENGTHS = struct.Struct(">III")
_FREE = bytes(_LENGTHS.size)


class Noted(NamedTuple):
    """A request without an ending: `admitted` and `draft` are sealed."""

    request_id: str
    admitted: bytes
    draft: bytes


class Slots:
    """The file of a living process, which nobody else opens."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Blocks. Raises `OSError`."""
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._free: list[int] = []
        self._used = 0

    def put(self, noted: Noted, slot: int | None) -> int | None:
        """Write a request, in place of what its slot holds if it has one. None where there is no room for it."""
        content = _packed(noted)
        if len(content) > SLOT_BYTES:
            return None
        taken = self._take() if slot is None else slot
        if taken is None or self._write(taken, content):
            return taken
        if slot is None:
            self._free.append(taken)
        return None

    def get(self, slot: int) -> Noted | None:
        """What a slot holds; None when it is free. Raises `OSError`."""
        return _unpacked(os.pread(self._handle, SLOT_BYTES, slot * SLOT_BYTES))

    def free(self, slots: Iterable[int]) -> None:
        """What they hold is not needed any more."""
        for slot in slots:
            self._write(slot, _FREE)
            self._free.append(slot)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _take(self) -> int | None:
        if self._free:
            return self._free.pop()
        if self._used == SLOTS:
            return None
        self._used += 1
        return self._used - 1

    def _write(self, slot: int, content: bytes) -> bool:
        """Whether all of it is written; a full disk takes nothing, or a part."""
        with suppress(OSError):
            return os.pwrite(self._handle, content, slot * SLOT_BYTES) == len(content)
        return False


def noted_in(path: Path) -> Iterator[Noted]:
    """What a dead process left, whether its checksums are right or not; nothing where there is no file.

    After the death of the machine there may be requests that have ended since, and slots half written.
    Blocks. Raises `OSError`.
    """
    content = path.read_bytes() if path.exists() else b""
    for start in range(0, len(content), SLOT_BYTES):
        noted = _unpacked(content[start : start + SLOT_BYTES])
        if noted is not None:
            yield noted


def _packed(noted: Noted) -> bytes:
    request_id, admitted, draft = noted
    name = request_id.encode()
    return b"".join((_LENGTHS.pack(len(name), len(admitted), len(draft)), name, admitted, draft))


def _unpacked(content: bytes) -> Noted | None:
    if len(content) < _LENGTHS.size:
        return None
    name, admitted, draft = _LENGTHS.unpack_from(content)
    if name == 0:
        return None
    first, second = _LENGTHS.size + name, _LENGTHS.size + name + admitted
    request_id = content[_LENGTHS.size : first].decode(errors="replace")
    return Noted(request_id, content[first:second], content[second : second + draft])
