"""The numbers of an embedding, as providers and callers write them; kept as arrays, an eighth of what floats take."""

import struct
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TypeAlias

Numbers: TypeAlias = "array[float]"


def to_base64(numbers: Numbers) -> str:
    """OpenAI's `encoding_format: base64`: 32-bit floats, little-endian."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")


def from_base64(text: str) -> Numbers:
    """What `to_base64` wrote. Raises `ValueError`."""
    numbers = array("f")
    numbers.frombytes(b64decode(text, validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return _some(numbers)


def from_int8(text: str) -> Numbers:
    """Perplexity's `base64_int8`: one signed byte a number (docs.perplexity.ai, embeddings). Raises `ValueError`."""
    return _some(array("f", array("b", b64decode(text, validate=True))))


def from_floats(numbers: Sequence[float]) -> Numbers:
    """Plain numbers, every digit kept. Raises `ValueError` for one that no 32-bit float can hold."""
    try:
        struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError as overflow:
        raise ValueError(str(overflow)) from overflow
    return _some(array("d", numbers))


def _some(numbers: Numbers) -> Numbers:
    if not numbers:
        message = "an embedding has no numbers"
        raise ValueError(message)
    return numbers
