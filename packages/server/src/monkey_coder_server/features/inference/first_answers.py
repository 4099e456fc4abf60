"""What a repeat under an idempotency key is given: the first answer again, whole or as the stream it was.

It is kept with the charge, in the same transaction, as the caller's dialect wrote it, so that any process may give it
again, also after a restart and after another version took over.
"""

import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256

import msgspec

from monkey_coder_server.domain.errors import GatewayError, IdempotencyConflict
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.features.inference.branches_asked import HEADER as COLLAPSE_HEADER
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.running import Opening
from monkey_coder_server.features.inference.squeezing import squeezed, squeezer
from monkey_coder_server.features.inference.weights_asked import HEADER as WEIGHTS_HEADER
from monkey_coder_server.features.inference.weights_asked import header_weights
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope
from monkey_coder_server.ports.ledger import IdempotencyKey, Replay
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.once import REPLAYED, checked_key
from monkey_coder_server.web.respond import Headers, Response

MOST_KEPT = 1024 * 1024
"""Bytes of one answer, compressed. Streams shrink to a tenth or less, so this holds some 100,000 tokens of one."""
MOST_WRITTEN = 64 * 1024 * 1024
"""Bytes of one answer before they are compressed: what a repeat makes of it again."""
NOT_KEPT = b""
"""In place of an answer that was too long, or whose process died before it ended."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class FirstAnswer(Record, frozen=True):
    """A reply as it left, but for the headers of its connection."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(FirstAnswer)


def key_of(header: str | None, envelope: Envelope, body: bytes, *, endpoint: str) -> IdempotencyKey | None:
    """The key a caller gave, with what it asked under it. Raises `InvalidRequest` for one that is none."""
    if header is None:
        return None
    return IdempotencyKey(f"key:{checked_key(header)}", _fingerprint(envelope, body, endpoint))


def _fingerprint(envelope: Envelope, body: bytes, endpoint: str) -> bytes:
    """SHA-256 of what is asked and how it is to be answered; the order of the body's fields does not count.

    Raises `InvalidRequest` for weights that are none.
    """
    told = sha256()
    for said in (endpoint, envelope.path_model, envelope.stream, envelope.query.get("alt")):
        told.update(b"%r\n" % (said,))
    for name, value in _pieces(body).items():
        told.update(b"%d %d " % (len(name), len(value)))
        told.update(name)
        told.update(value)
    weights = header_weights(envelope.headers.get(WEIGHTS_HEADER))
    for told_by_header in (weights, envelope.headers.get(COLLAPSE_HEADER)):
        if told_by_header is not None:
            told.update(b"%r\n" % (told_by_header,))
    return told.digest()


def _pieces(body: bytes) -> Mapping[bytes, bytes]:
    try:
        fields = _fields.decode(body)
    except msgspec.DecodeError:
        return {b"": body}
    return {name.encode("utf-8", "surrogatepass"): bytes(fields[name]) for name in sorted(fields)}


def kept_whole(headers: Headers, body: bytes) -> bytes:
    """A whole answer as it is kept."""
    if len(body) > MOST_WRITTEN:
        return NOT_KEPT
    return _kept(headers, squeezed(body))


def _kept(headers: Headers, compressed: bytes) -> bytes:
    if len(compressed) > MOST_KEPT:
        return NOT_KEPT
    return _encode(FirstAnswer(tuple(headers), compressed))


def told_again(replay: Replay, headers: Headers) -> Response:
    """The first answer with the headers of this request."""
    first = _decoder.decode(replay.body)
    body = zlib.decompress(first.body)
    return Response(200, body, [*first.headers, *headers, REPLAYED])


def kept(replay: Replay) -> Replay:
    """The same, if there is something to tell. Raises `IdempotencyConflict` when it is not kept."""
    if replay.body == NOT_KEPT:
        message = (
            "The first request under this idempotency key was charged, but its answer is not kept: it was longer than "
            f"{MOST_KEPT >> 20} MiB or cut off by a restart. It is not served again; ask anew under another key."
        )
        raise IdempotencyConflict(message, facts={"request_id": replay.request_id})
    return replay


class Recorder:
    """Implements `running.Echo`: writes a stream a second time, for its repeats, whoever still reads the first.

    `writer` makes one once it is known who answers.
    """

    def __init__(self, writer: Callable[[Opening], AnswerWriter]) -> None:
        self._new = writer
        self._writer: AnswerWriter | None = None
        self._squeeze = squeezer()
        self._pieces: list[bytes] = []
        self._size = self._written = 0

    def opened(self, opening: Opening) -> None:
        """A model answers."""
        self._writer = self._new(opening)
        self._add(self._writer.begin())

    def heard(self, event: Event) -> None:
        """One event of the stream."""
        if self._writer is not None:
            self._add(self._writer.write((event,)))

    def over(self, outcome: Outcome | GatewayError) -> None:
        """The request is over; what came was kept before, with its charge."""

    def finish(self, headers: Headers, bill: Bill) -> bytes:
        """The stream to its end, as it is kept."""
        if self._writer is not None:
            self._add(self._writer.end(bill))
        if self._writer is None:
            return NOT_KEPT
        return _kept(headers, b"".join([*self._pieces, self._squeeze.flush()]))

    def _add(self, frames: bytes) -> None:
        if not frames:
            return
        self._written += len(frames)
        piece = self._squeeze.compress(frames)
        self._size += len(piece)
        self._pieces.append(piece)
        if self._size > MOST_KEPT or self._written > MOST_WRITTEN:
            self._writer = None
            self._pieces = []
