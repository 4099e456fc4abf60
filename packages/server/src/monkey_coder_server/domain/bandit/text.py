"""A prompt as numbers: which hashed words and pairs of words its beginning holds, and a few counts."""

from math import log
from typing import NamedTuple
from zlib import crc32

READ = 2_000
"""Characters of a prompt that are looked at."""
BUCKETS = 8_192
"""Words and pairs of words are hashed into so many buckets; a power of two."""
COUNTS = 11
"""How many counts a text has."""

_MASK = BUCKETS - 1
_WORDS_APART = bytes(byte if chr(byte).isalnum() or byte >= 0x80 or byte == ord("_") else 0x20 for byte in range(256))
"""Keeps ASCII letters and digits, `_` and whatever UTF-8 writes in several bytes; all else becomes a space."""


class Text(NamedTuple):
    """The distinct buckets a text's words and pairs of words fall into, and its counts."""

    buckets: frozenset[int]
    counts: tuple[float, ...]


def read_text(prompt: str) -> Text:
    """The first 2,000 characters as numbers, the same ones in every process."""
    prompt = prompt[:READ].lower()
    words = prompt.encode("utf-8", "surrogatepass").translate(_WORDS_APART).split()
    hashes = [*map(crc32, words)]
    hashes += map(crc32, words[1:], hashes[:-1])  # a pair's hash goes on from its first word's
    buckets = frozenset([each & _MASK for each in hashes])  # from a list: a set that grows is slower
    return Text(buckets, _counts(prompt, words, len(buckets)))


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
