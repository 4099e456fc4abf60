"""Vectors that depend on the text alone: equal texts are equal, others about orthogonal; all have length 1."""

import struct
from base64 import b64encode
from hashlib import shake_128
from math import sqrt


def vector(text: str, dimensions: int) -> list[float]:
    """So many 32-bit floats."""
    raw = struct.unpack(f"<{dimensions}h", shake_128(text.encode("utf-8", "surrogatepass")).digest(2 * dimensions))
    length = sqrt(sum(number * number for number in raw)) or 1.0
    return list(struct.unpack(f"<{dimensions}f", struct.pack(f"<{dimensions}f", *(each / length for each in raw))))


def packed(numbers: list[float]) -> str:
    """OpenAI's base64: little-endian 32-bit floats."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def signed_bytes(numbers: list[float]) -> str:
    """Perplexity's base64_int8: each number scaled to a signed byte."""
    largest = max(map(abs, numbers)) or 1.0
    return b64encode(struct.pack(f"<{len(numbers)}b", *(round(each / largest * 127) for each in numbers))).decode()
