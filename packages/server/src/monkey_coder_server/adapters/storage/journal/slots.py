"""Requests without rows, each in a slot of one file that is written in place: what they came to, or how they ended.

A `pwrite` puts them where the death of this process cannot reach them, and an `fdatasync` where that of the machine
cannot. It takes 3 us where a row takes 40 us with its deletion and their commits.

A slot holds the values of a row of `file.open_requests` or `file.endings`, after their kind and their lengths. The
records carry their own checksums (`encoding`). An ending has its number behind it, and the first place of the file the
number up to which they are booked: that says of all of them at once that nobody needs them, until others take
their slots.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

SLOT_BYTES = 2_048
"""A request's first call takes some 700, its ending 1,100; what has no room here gets a row."""
SLOTS = 4_096

_FREE, _NOTED, _ENDED, _BOOKED = range(4)
_HEAD = struct.Struct(">BHHH")
_NUMBER = struct.Struct(">QI")
"""A number and the checksum of it and what it belongs to."""


class Noted(NamedTuple):
    """A request without an ending: `admitted` and `draft` are sealed."""

    request_id: str
    admitted: bytes
    draft: bytes


class Ended(NamedTuple):
    """A request with its ending: `record` is sealed, `number` is 0 where it is not known."""

    request_id: str
    record: bytes
    number: int


class Slots:
    """The file of a living process, which nobody else opens."""

    def __init__(self, path: Path, most: int = SLOTS) -> None:
        """Open or make it. Blocks. Raises `OSError`."""
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._most = most
        self._free: list[int] = []
        self._used = 0
        self._booked = 0

    def note(self, request_id: str, admitted: bytes, draft: bytes, slot: int | None) -> int | None:
        """Write a request without an ending, in place of what its slot holds if it has one; both parts are sealed.

        None where there is no room for it.
        """
        return self._put(_packed(_NOTED, request_id, admitted, draft), slot)

    def end(self, request_id: str, record: bytes, number: int, slot: int | None) -> int | None:
        """The same for one that ended. Of two endings the later one has the higher `number`."""
        return self._put(_packed(_ENDED, request_id, record, _numbered(number, record)), slot)

    def get(self, slot: int) -> Noted | Ended | None:
        """What a slot holds; None when it is free. Raises `OSError`."""
        return _unpacked(os.pread(self._handle, SLOT_BYTES, slot * SLOT_BYTES))

    def free(self, slots: Iterable[int]) -> None:
        """What they hold is not needed any more."""
        for slot in slots:
            self._write(slot, _HEAD.pack(_FREE, 0, 0, 0))
            self._free.append(slot)

    def forget(self, ended: Sequence[tuple[int, int]], *, before: int) -> None:
        """Endings, by number and slot, are booked, as are all with a number below `before`.

        Slots beside each other are used next: what is written to them is made durable at a third of the cost.
        """
        booked = before - 1
        if booked > self._booked and self._write(0, _HEAD.pack(_BOOKED, 0, _NUMBER.size, 0) + _numbered(booked, b"")):
            self._booked = booked
        self._free += [slot for number, slot in ended if number <= self._booked]
        self.free([slot for number, slot in ended if number > self._booked])
        self._free.sort(reverse=True)

    def sync(self) -> None:
        """Let what is written survive power loss. Blocks. Raises `OSError`."""
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _put(self, content: bytes | None, slot: int | None) -> int | None:
        if content is None:
            return None
        taken = self._take() if slot is None else slot
        if taken is None or self._write(taken, content):
            return taken
        if slot is None:
            self._free.append(taken)
        return None

    def _take(self) -> int | None:
        if self._free:
            return self._free.pop()
        if self._used >= self._most:
            return None
        self._used += 1
        return self._used

    def _write(self, slot: int, content: bytes) -> bool:
        """Whether all of it is written; a full disk takes nothing, or a part."""
        try:
            return os.pwrite(self._handle, content, slot * SLOT_BYTES) == len(content)
        except OSError:
            return False


def held_in(path: Path) -> Iterator[Noted | Ended]:
    """What a dead process left and is not known to be booked; nothing where there is no file.

    Checksums of records may be wrong. After the death of the machine there may be requests that ended, or were booked,
    since, and slots half written. Blocks. Raises `OSError`.
    """
    content = path.read_bytes() if path.exists() else b""
    booked = _booked_by(content)
    for start in range(0, len(content), SLOT_BYTES):
        held = _unpacked(content[start : start + SLOT_BYTES])
        if isinstance(held, Noted) or (held is not None and not 0 < held.number <= booked):
            yield held


def _packed(kind: int, request_id: str, first: bytes, second: bytes) -> bytes | None:
    """The bytes of a slot; None when they are too many."""
    name = request_id.encode()
    content = b"".join((_HEAD.pack(kind, len(name), len(first), len(second)), name, first, second))
    return content if len(content) <= SLOT_BYTES else None


def _unpacked(content: bytes) -> Noted | Ended | None:
    if len(content) < _HEAD.size:
        return None
    kind, name, first, second = _HEAD.unpack_from(content)
    if kind not in {_NOTED, _ENDED}:
        return None
    at = _HEAD.size + name
    request_id, record = content[_HEAD.size : at].decode(errors="replace"), content[at : at + first]
    behind = content[at + first : at + first + second]
    return Noted(request_id, record, behind) if kind == _NOTED else Ended(request_id, record, _number(behind, record))


def _booked_by(content: bytes) -> int:
    """The number up to which endings of a file are booked; 0 where it does not say."""
    if len(content) < SLOT_BYTES or content[0] != _BOOKED:
        return 0
    return _number(content[_HEAD.size : _HEAD.size + _NUMBER.size], b"")


def _numbered(number: int, record: bytes) -> bytes:
    """A number as it stands behind a record, whose own checksum at its end tells it from others."""
    return _NUMBER.pack(number, crc32(record[-4:], number))


def _number(stored: bytes, record: bytes) -> int:
    """Read it back; 0 where none is stored, or it is damaged: who does not know it takes no ending for booked."""
    number = _NUMBER.unpack(stored)[0] if len(stored) == _NUMBER.size else 0
    return number if stored == _numbered(number, record) else 0
