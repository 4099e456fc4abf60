"""One answer, one charge, when a client asks again because its connection broke or its stream made no sense to it.

A repeat is the same key, dialect, model, weights, session and body (`stream` apart). One that comes while the first is
being served, or within a few seconds after it was cut off, gets the first one's answer. Requests that name no session
have no repeats. All of it lives in this process, bounded in entries and bytes (decision 0012).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from monkey_coder_server.features.inference.branches_asked import HEADER as COLLAPSE_HEADER
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.kept import Kept, Room
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.weights_asked import HEADER as WEIGHTS_HEADER
from monkey_coder_server.ports.front import Envelope

SESSION_HEADERS = ("x-claude-code-session-id", "session-id", "x-session-affinity", "x-session-id", "thread-id")
"""What agents name their session by: Claude Code, Codex, opencode."""
SESSION_FIELD = "prompt_cache_key"
"""The same in the body (Responses)."""
_SESSION_FIELD = SESSION_FIELD.encode()
RETRY_HEADER = "x-stainless-retry-count"
"""The official SDKs number their own repeats, from 0."""
APART = frozenset({"stream", "stream_options"})
"""A client that could not read a stream asks for the whole."""
SECONDS = 10.0
"""How long an answer is kept after its end."""
MOST_KEPT = 1_024
MOST_BYTES = 64 * 1024 * 1024
LONGEST = 8 * 1024 * 1024
"""Bytes of one answer; a longer one is not kept."""
REQUEST_WEIGHT = 4
"""A request that is kept alive takes about so many times its body."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Place(NamedTuple):
    """What makes two requests the same."""

    key_id: str
    dialect: str
    model: str
    session: str
    digest: bytes
    idempotency_key: str = ""
    """Who names one says which requests are the same: under two keys there are two."""
    weights: str = ""
    collapse: str = ""


def place_of(key_id: str, dialect: str, envelope: Envelope, body: bytes) -> Place | None:
    """Where a request would find its repeat; None for one that names no session."""
    session = _session(envelope.headers)
    if session is None and _SESSION_FIELD not in body:
        return None
    try:
        fields = _fields.decode(body)
    except msgspec.DecodeError:
        return None
    session = session or bytes(fields.get(SESSION_FIELD, b"")).decode()
    if session in {"", "null"}:
        return None
    meant = envelope.headers.get("idempotency-key", "")
    weights, collapse = (envelope.headers.get(name, "") for name in (WEIGHTS_HEADER, COLLAPSE_HEADER))
    return Place(key_id, dialect, envelope.path_model or "", session, _digest(fields), meant, weights, collapse)


def _session(headers: Mapping[str, str]) -> str | None:
    if headers.keys().isdisjoint(SESSION_HEADERS):
        return None
    for name in SESSION_HEADERS:
        if session := headers.get(name):
            return session
    return None


def _digest(fields: Mapping[str, msgspec.Raw]) -> bytes:
    told = blake2b(digest_size=16)
    for name in sorted(fields):
        if name not in APART:
            value = bytes(fields[name])
            told.update(b"%d %d " % (len(name), len(value)) + name.encode("utf-8", "surrogatepass"))
            told.update(value)
    return told.digest()


def retried(headers: Mapping[str, str]) -> bool:
    """Whether the client itself calls this a repeat."""
    return headers.get(RETRY_HEADER, "0") != "0"


class Repeats:
    """The answers that are kept for repeats. `seconds`: how long after their end."""

    def __init__(self, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES, longest: int = LONGEST) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[Place, Kept] = OrderedDict()
        self.room = Room(most_bytes, longest)

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, place: Place, *, stream: bool, retry: bool) -> Kept | None:
        """The answer a request is the repeat of.

        What had been delivered whole is only given again to a client that says so, or that wants as a whole what it
        got as a stream: an agent may well ask the same twice.
        """
        kept = self._kept.get(place)
        if kept is None or kept.lost:
            return None
        meant = not (kept.run.ended and kept.delivered) or retry or (kept.stream and not stream)
        return kept if meant else None

    def keep(self, place: Place, run: Run[Outcome], *, stream: bool, body_bytes: int) -> Kept | None:
        """Keep what comes of a run that begins; None when there is no room."""
        self._kept.pop(place, None)
        weight = body_bytes * REQUEST_WEIGHT
        if weight > self.room.longest:
            return None
        while len(self._kept) >= MOST_KEPT or not self.room.take(weight):
            oldest = next((each for each, kept in self._kept.items() if kept.run.ended), None)
            if oldest is None:
                return None
            del self._kept[oldest]
        kept = Kept(run, self.room, weight, stream=stream, ended=partial(self._ended, place))
        self._kept[place] = kept
        run.echo(kept)
        return kept

    def _ended(self, place: Place, kept: Kept) -> None:
        """Keep it for a while; what is lost, no longer."""
        seconds = 0.0 if kept.lost else self._seconds
        asyncio.get_running_loop().call_later(seconds, self._expire, place, kept)

    def _expire(self, place: Place, kept: Kept) -> None:
        if self._kept.get(place) is kept:
            del self._kept[place]
