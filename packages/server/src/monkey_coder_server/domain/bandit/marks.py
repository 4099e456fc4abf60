"""A prompt's marks: which of 512 classes its words fall in, and how long it is. No word can be read out of them."""

from array import array
from collections.abc import Sequence
from zlib import crc32

from monkey_coder_server.domain.bandit.text import words_of

WORDS = 512
"""Words are hashed into so many marks, a power of two."""
SHORTEST = 3
"""Bytes of a word that tells something: shorter ones are in nearly every prompt."""
SIZES = 24
"""Marks of length: one for each doubling of the tokens."""
EVERY = WORDS + SIZES
"""The mark of every prompt."""
MARKS = EVERY + 1

Marks = Sequence[int]
"""Each once, in rising order."""


def read_marks(prompt: str, tokens: int) -> Marks:
    """The marks of what a caller said, by its first 2,000 characters, and of a whole prompt of so many tokens."""
    marks = {crc32(word) & (WORDS - 1) for word in set(words_of(prompt)) if len(word) >= SHORTEST}
    marks |= {WORDS + min(SIZES - 1, tokens.bit_length()), EVERY}
    return array("H", sorted(marks))
