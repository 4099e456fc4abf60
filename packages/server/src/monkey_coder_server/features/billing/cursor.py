"""Where a page ended, as an opaque text in addresses."""

import base64
import binascii
from typing import TypeVar

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest

T = TypeVar("T")


def written(place: msgspec.Struct) -> str:
    """A place as text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(kind: type[T], text: str) -> T:
    """The place a text was made of. Raises `InvalidRequest` for what no page said."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except (binascii.Error, ValueError) as wrong:
        raise InvalidRequest("The query parameter `after` must be the `next` of a page before.") from wrong
