"""A finished answer as it is kept for those who ask the same again: its events, who gave it, what it cost."""

import asyncio
import zlib
from collections.abc import Sequence
from itertools import starmap
from types import MappingProxyType
from typing import Any

import msgspec

from monkey_coder_server.domain import stream_events
from monkey_coder_server.domain.cache_control import CacheStatus
from monkey_coder_server.domain.stream_events import Event, FinishReason
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.squeezing import squeezed
from monkey_coder_server.ports.ledger import Charge
from monkey_coder_server.ports.record import Record

LONGEST = 4 * 1024 * 1024
"""Bytes of an answer before it is compressed."""
_INLINE = 64 * 1024
"""Bytes that are compressed at once; more of them in a thread, so that nobody else waits."""
_COMPLETE = frozenset({FinishReason.STOP, FinishReason.TOOL_CALLS})
_KINDS: tuple[type[Any], ...] = (
    stream_events.Frame,
    stream_events.Opened,
    stream_events.TextDelta,
    stream_events.ThinkingDelta,
    stream_events.ThinkingClosed,
    stream_events.RefusalDelta,
    stream_events.ToolCallOpened,
    stream_events.ToolCallDelta,
    stream_events.ToolCallClosed,
    stream_events.Cited,
    stream_events.ServerItem,
    stream_events.Computed,
    stream_events.UsageReported,
    stream_events.Finished,
)
"""Their places are what is written: a new kind goes to the end. A failure is never kept."""
_PLACES = {kind: place for place, kind in enumerate(_KINDS)}


class AnswerFacts(Record, frozen=True, kw_only=True):
    """`body` is that of a whole answer that was passed on as it came, and of every native one.

    `price` is what its account paid for it, in nano-dollars, by that row of that book and markup. `at` is Unix seconds.
    """

    provider: str
    model: str
    relayed: bool
    dropped: tuple[str, ...]
    rule: str
    usage: Usage
    finish: FinishReason
    native_finish: str | None
    price: int
    price_row: str
    price_book: str
    markup_basis_points: int
    at: int
    body: bytes

    @property
    def complete(self) -> bool:
        """Whether the model said all it wanted to: what was cut, refused or guessed at is given to nobody later."""
        return self.finish in _COMPLETE and not self.usage.estimated


class CachedAnswer(AnswerFacts, frozen=True, kw_only=True):
    """`events` are those of a stream, or of a whole answer that was translated."""

    events: Sequence[Event]


class _Written(msgspec.Struct, array_like=True):
    facts: msgspec.Raw
    events: list[tuple[int, msgspec.Raw]]


def _plain(value: object) -> object:
    """A mapping nobody changes as one that can be written. Raises `TypeError` for anything else."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    message = f"{type(value).__name__} cannot be written"
    raise TypeError(message)


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_written = msgspec.msgpack.Decoder(_Written).decode
_facts = msgspec.msgpack.Decoder(AnswerFacts).decode
_decoders = [msgspec.msgpack.Decoder(kind).decode for kind in _KINDS]


async def packed(answer: CachedAnswer) -> bytes | None:
    """The answer as bytes; None for one that is too long, or says what cannot be written."""
    try:
        events = [(_PLACES[type(event)], msgspec.Raw(_encode(event))) for event in answer.events]
        plain = _encode(_Written(msgspec.Raw(_encode(msgspec.structs.replace(answer, events=()))), events))
    except (KeyError, TypeError, OverflowError, UnicodeEncodeError):
        return None
    if len(plain) > LONGEST:
        return None
    return squeezed(plain) if len(plain) <= _INLINE else await asyncio.to_thread(squeezed, plain)


def unpacked(value: bytes) -> CachedAnswer | None:
    """The answer again; None for what another version wrote otherwise."""
    try:
        written = _written(zlib.decompress(value))
        events = tuple(starmap(_event, written.events))
        return CachedAnswer(**msgspec.structs.asdict(_facts(written.facts)), events=events)
    except (zlib.error, msgspec.DecodeError, IndexError):
        return None


def _event(place: int, said: msgspec.Raw) -> Event:
    event: Event = _decoders[place](said)
    return event


class Recalled(Record, frozen=True, kw_only=True):
    """A kept answer given to a request of its own, in the books. `age` and `latency_ms` as it was given.

    `similarity` of the words it was made for, where those are others.
    """

    answer: CachedAnswer
    charge: Charge
    age: int
    latency_ms: int
    body: bytes = b""
    similarity: float | None = None

    @property
    def status(self) -> CacheStatus:
        """Whether it was made for this very request."""
        return status_of(self.similarity)


def status_of(similarity: float | None) -> CacheStatus:
    """Of a kept answer, with the similarity of the words it was made for where those are others."""
    return CacheStatus.HIT if similarity is None else CacheStatus.SEMANTIC
