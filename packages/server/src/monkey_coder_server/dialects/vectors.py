"""The numbers of an embedding, as providers and callers write them."""

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence

_FLOAT = struct.calcsize("<f")


def to_base64(numbers: Sequence[float]) -> str:
    """OpenAI's `encoding_format: base64`: 32-bit floats, little-endian. The numbers must have passed `checked`."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")


def from_base64(text: str) -> Sequence[float]:
    """What `to_base64` wrote. Raises `ValueError`."""
    packed = b64decode(text, validate=True)
    if len(packed) % _FLOAT:
        message = f"{len(packed)} bytes are no whole number of floats"
        raise ValueError(message)
    return struct.unpack(f"<{len(packed) // _FLOAT}f", packed)


def from_int8(text: str) -> Sequence[float]:
    """Perplexity's `base64_int8`: one signed byte a number (docs.perplexity.ai, embeddings). Raises `ValueError`."""
    packed = b64decode(text, validate=True)
    return [float(number) for number in struct.unpack(f"<{len(packed)}b", packed)]


def checked(numbers: Sequence[float]) -> Sequence[float]:
    """The numbers themselves. Raises `ValueError` for none at all, or one that no 32-bit float can hold."""
    try:
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError as overflow:
        raise ValueError(str(overflow)) from overflow
    if not packed:
        message = "an embedding has no numbers"
        raise ValueError(message)
    return numbers
