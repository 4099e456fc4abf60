"""A prompt as numbers: which hashed words and pairs of words its beginning holds, and a few counts."""

from collections.abc import Sequence
from math import log
from struct import pack, unpack
from typing import NamedTuple
from zlib import crc32

READ = 2_000
"""Characters of a prompt that are looked at."""
BUCKETS = 8_192
"""Words and pairs of words are hashed into so many buckets; a power of two."""
COUNTS = 11
"""How many counts a text has."""

_HIGH = bytes(byte & (BUCKETS - 1) >> 8 for byte in range(256))
"""What is left of the second lowest byte of a hash."""
_WORDS_APART = bytes(byte if chr(byte).isalnum() or byte >= 0x80 or byte == ord("_") else 0x20 for byte in range(256))
"""Keeps ASCII letters and digits, `_` and whatever UTF-8 writes in several bytes; all else becomes a space."""


class Text(NamedTuple):
    """The distinct buckets a text's words and pairs of words fall into, and its counts."""

    buckets: frozenset[int]
    counts: tuple[float, ...]


def words_of(prompt: str) -> list[bytes]:
    """The words of the first 2,000 characters, in small letters."""
    return prompt[:READ].lower().encode("utf-8", "surrogatepass").translate(_WORDS_APART).split()


def read_text(prompt: str) -> Text:
    """The first 2,000 characters as numbers, the same ones in every process."""
    words = words_of(prompt)
    prompt = prompt[:READ].lower()
    hashes = [*map(crc32, words)]
    hashes += map(crc32, words[1:], hashes[:-1])  # a pair's hash goes on from its first word's
    buckets = _buckets(hashes)
    return Text(buckets, _counts(prompt, words, len(buckets)))


def _buckets(hashes: Sequence[int]) -> frozenset[int]:
    """The distinct remainders by `BUCKETS`, taken of all hashes at once: one number's remainder takes longer."""
    count = len(hashes)
    written = pack(f"<{count}I", *hashes)
    ends = bytearray(2 * count)
    ends[::2] = written[::4]
    ends[1::2] = written[1::4].translate(_HIGH)
    return frozenset(unpack(f"<{count}H", ends))


def _counts(prompt: str, words: list[bytes], distinct: int) -> tuple[float, ...]:
    size, count, several = log(1 + len(prompt)), prompt.count, 1 + len(words)
    return (
        size,
        size * size,
        distinct / several,
        len(prompt) / several,
        log(1 + sum(map(bytes.isdigit, words))),
        log(1 + count("\n")),
        log(1 + count(".") + count("?")),
        log(1 + count(",")),
        float("%" in prompt),
        float("$" in prompt),
        float("=" in prompt or "+" in prompt or "*" in prompt),
    )
