"""Reads rows from the bare pages of a SQLite file and its log, where SQLite itself cannot read them any more.

It finds rows by the layout of table leaf pages; what is found is trusted only as far as each record's checksum says,
and may be older than what was last written there. Source of the layout: sqlite.org/fileformat2.html (§1.6, §2.1, §4.1).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

PAGE_BYTES = 4_096
LEAF = 0x0D
FILE_HEADER_BYTES = 100
LEAF_HEADER_BYTES = 8
LOG_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
LONGEST_VARINT = 9
FIRST_BLOB_TYPE = 12
MORE_FOLLOWS = 0x80
INTEGER_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
"""Bytes of a value by its serial type; 0 is NULL, as a row's own number is stored."""

_FRAME = struct.Struct(">IIII")


@dataclass(frozen=True, slots=True)
class Frame:
    """A page in the log; `commits` when a transaction ends with it."""

    page: int
    commits: bool
    image: bytes


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row: its number, and its values that are text or blobs, as bytes."""

    number: int
    values: tuple[bytes, ...]


def frames(log: bytes) -> Iterator[Frame]:
    """The frames of a log's present round, in order, whether their checksums are right or not."""
    salts = log[16:24]
    for start in range(
        LOG_HEADER_BYTES, len(log) - PAGE_BYTES - FRAME_HEADER_BYTES + 1, PAGE_BYTES + FRAME_HEADER_BYTES
    ):
        page, size, *_ = _FRAME.unpack_from(log, start)
        if log[start + 8 : start + 16] == salts:
            image = start + FRAME_HEADER_BYTES
            yield Frame(page, size > 0, log[image : image + PAGE_BYTES])


def commits_after(log: bytes, readable: int) -> int:
    """How many transactions ended in a log behind the frames SQLite can read."""
    return sum(frame.commits for frame in list(frames(log))[readable:])


def rows(database: bytes, log: bytes) -> Iterator[StoredRow]:
    """Whatever looks like a row, older ones first."""
    pages = [database[start : start + PAGE_BYTES] for start in range(0, len(database), PAGE_BYTES)]
    written = list(frames(log))
    latest = dict(enumerate(pages, start=1)) | {frame.page: frame.image for frame in written}
    for image in chain(pages, (frame.image for frame in written)):
        yield from _rows_of(image, latest)


def _rows_of(image: bytes, latest: dict[int, bytes]) -> Iterator[StoredRow]:
    """The rows of a leaf page; none of another."""
    start = FILE_HEADER_BYTES if image.startswith(b"SQLite format 3") else 0
    if len(image) < PAGE_BYTES or image[start] != LEAF:
        return
    count = int.from_bytes(image[start + 3 : start + 5], "big")
    pointers = start + LEAF_HEADER_BYTES
    for position in range(pointers, min(pointers + 2 * count, PAGE_BYTES - 1), 2):
        row = _row(image, int.from_bytes(image[position : position + 2], "big"), latest)
        if row is not None:
            yield row


def _row(image: bytes, offset: int, latest: dict[int, bytes]) -> StoredRow | None:
    """One row with its overflow pages; None when it makes no sense."""
    try:
        size, offset = _varint(image, offset)
        number, offset = _varint(image, offset)
        payload = _payload(image, offset, size, latest)
        types, position = _types(payload)
        values = []
        for kind in types:
            length = (kind - FIRST_BLOB_TYPE) // 2 if kind >= FIRST_BLOB_TYPE else INTEGER_BYTES[kind]
            if kind >= FIRST_BLOB_TYPE:
                values.append(payload[position : position + length])
            position += length
    except (IndexError, KeyError):
        return None
    return StoredRow(number, tuple(values)) if position == size else None


def _types(payload: bytes) -> tuple[Sequence[int], int]:
    """The serial types of a record, and where its values begin."""
    end, position = _varint(payload, 0)
    types = []
    while position < end:
        kind, position = _varint(payload, position)
        types.append(kind)
    return types, end


def _payload(image: bytes, offset: int, size: int, latest: dict[int, bytes]) -> bytes:
    """A record's bytes, gathered from its page and those it overflows to. Raises `KeyError`, `IndexError`."""
    if size <= PAGE_BYTES - 35:
        return image[offset : offset + size]
    least = (PAGE_BYTES - 12) * 32 // 255 - 23
    here = least + (size - least) % (PAGE_BYTES - 4)
    if here > PAGE_BYTES - 35:
        here = least
    parts, left = [image[offset : offset + here]], size - here
    following = image[offset + here : offset + here + 4]
    while left > 0:
        page = latest[int.from_bytes(following, "big")]
        parts.append(page[4 : 4 + min(left, PAGE_BYTES - 4)])
        left -= len(parts[-1]) or size
        following = page[:4]
    return b"".join(parts)


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """SQLite's integer of 1 to 9 bytes, and where it ends. Raises `IndexError`."""
    value = 0
    for position in range(offset, offset + LONGEST_VARINT - 1):
        byte = data[position]
        value = (value << 7) | (byte & ~MORE_FOLLOWS)
        if not byte & MORE_FOLLOWS:
            return value, position + 1
    return (value << 8) | data[offset + LONGEST_VARINT - 1], offset + LONGEST_VARINT
