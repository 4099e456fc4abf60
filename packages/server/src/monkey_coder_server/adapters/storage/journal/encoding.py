"""How records are kept: msgpack of the ports' structs, each sealed with a CRC-32 of itself and its request.

Structs are maps by name, so that a newer gateway reads what an older one wrote. Encoding and sealing an ending takes
about 3 us, opening it 4 us (900 bytes, CPython 3.11).
"""

from types import MappingProxyType
from typing import Any, TypeVar
from zlib import crc32

import msgspec

from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Draft
from monkey_coder_server.ports.ledger import HoldRequest
from monkey_coder_server.ports.record import Record

CRC_BYTES = 4

T = TypeVar("T")


class Admitted(Record, frozen=True):
    """The part of an intent that no draft replaces."""

    hold: HoldRequest
    lease_id: str | None


class DamagedRecord(ValueError):
    """What is stored is not what was written, or cannot be read by this version."""


def _plain(value: Any) -> Any:
    """Read-only mappings are written as what they show."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    message = f"not a value of records: {type(value)}"
    raise NotImplementedError(message)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_ADMITTED = msgspec.msgpack.Decoder(Admitted)
_DRAFT: msgspec.msgpack.Decoder[Draft] = msgspec.msgpack.Decoder(Draft)
_RESOLVED = msgspec.msgpack.Decoder(Resolved)


def sealed(request_id: str, record: Admitted | Draft | Resolved) -> bytes:
    """A record's bytes, with their checksum at the end."""
    body = _ENCODER.encode(record)
    return body + _checksum(request_id, body)


def admitted(request_id: str, stored: bytes) -> Admitted:
    """Read it back. Raises `DamagedRecord`."""
    return _opened(_ADMITTED, request_id, stored)


def draft(request_id: str, stored: bytes) -> Draft:
    """Read it back. Raises `DamagedRecord`."""
    return _opened(_DRAFT, request_id, stored)


def resolved(request_id: str, stored: bytes) -> Resolved:
    """Read it back. Raises `DamagedRecord`."""
    return _opened(_RESOLVED, request_id, stored)


def _opened(decoder: msgspec.msgpack.Decoder[T], request_id: str, stored: bytes) -> T:
    body, checksum = stored[:-CRC_BYTES], stored[-CRC_BYTES:]
    if checksum != _checksum(request_id, body):
        message = "its checksum is wrong"
        raise DamagedRecord(message)
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        message = f"it cannot be read: {error}"
        raise DamagedRecord(message) from error


def _checksum(request_id: str, body: bytes) -> bytes:
    """Covers the request's id as well: a record that belongs to another is found out."""
    return crc32(body, crc32(request_id.encode())).to_bytes(CRC_BYTES, "big")
