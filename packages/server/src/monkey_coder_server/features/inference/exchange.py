"""One call to one provider: whole, or opened up to the first content of its stream."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import msgspec

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Answer,
    Cited,
    Event,
    FinishReason,
    Frame,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingDelta,
    ToolCallOpened,
)
from monkey_coder_server.domain.usage import normalise
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools
from monkey_coder_server.features.inference.gates import Place
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.tool_names import NamingBack, named_back, with_safe_names
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.provider import Dialect, StreamDecoder, WireRequest
from monkey_coder_server.ports.upstream import Deadlines, Upstream, UpstreamFailed, UpstreamReply

SLICE = 2_048
"""Bytes of a stream that are read at once: an answer can be stopped, and charged, between any two."""
CONTENT = (TextDelta, ThinkingDelta, RefusalDelta, ToolCallOpened, ServerItem, Cited)
"""The first of these commits a stream to its model: what the caller has seen cannot be taken back."""
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "msh-request-id")
"""OpenAI, Groq, xAI and Perplexity; Anthropic; Moonshot (counted over recorded exchanges)."""
SILENCE_IS_MEANT = frozenset({FinishReason.LENGTH, FinishReason.REFUSAL, FinishReason.PAUSE})
"""Finish reasons that stand even without a word: thinking used up the limit, the model declined."""


_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class AttemptFailed(Exception):
    """One call failed. `answer` is what had come of it: the provider may bill that, under `provider_request_id`."""

    def __init__(
        self, failure: ProviderFailure, answer: Answer | None = None, provider_request_id: str | None = None
    ) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.answer = answer or Answer()
        self.provider_request_id = provider_request_id


class Answering(msgspec.Struct):
    """A model that answers. Of a stream, `reply`, `decoder` and `pieces` give the rest and `waiting` the beginning.

    Of a relayed stream that is all its frames, else its events from the first content on.
    """

    route: Route
    answer: Answer
    key_number: int
    started: float
    first_byte_ms: int
    reply: UpstreamReply
    headers: Mapping[str, str]
    dialect: Dialect
    relayed: bool
    """The caller speaks this dialect, too: the answer is passed on as it came."""
    dropped: tuple[str, ...] = ()
    names: Mapping[str, str] = _NO_NAMES
    """The caller's own names of tools, by those the provider was given."""
    events: Sequence[Event] = ()
    """Of a whole answer."""
    body: bytes = b""
    """A whole answer as it came."""
    decoder: StreamDecoder | None = None
    pieces: AsyncIterator[bytes] | None = None
    waiting: list[Event] = []
    speaks: bool = False
    """Content has come."""
    place: Place | None = None
    """What it takes up at its provider until it is closed."""

    def close(self) -> None:
        """Give up connection and place; harmless after the end."""
        try:
            self.reply.close()
        finally:
            if self.place is not None:
                self.place.leave()

    @property
    def provider_request_id(self) -> str | None:
        """What the provider calls this request: from its headers, else (Gemini) from the answer itself."""
        for name in REQUEST_ID_HEADERS:
            if named := self.headers.get(name):
                return named
        return self.answer.response_id

    def record(self, outcome: str, total_ms: int) -> AttemptRecord:
        """The call as books and receipt tell of it."""
        provider, model = self.route.provider.name, self.route.card.model
        return AttemptRecord(provider, model, outcome, self.first_byte_ms, total_ms, self.provider_request_id)

    @property
    def written(self) -> int | None:
        """The output tokens its provider reported, thoughts included; None where it did not."""
        usage = self.answer.usage
        if usage is None:
            return None
        return normalise(self.route.provider.usage_rule_in(self.dialect.name), usage).output


class Exchange:
    """Speaks to providers through the upstream port. `deadlines` are the bounds of one call."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock

    async def whole(
        self, route: Route, request: ModelRequest, *, key: tuple[int, str], deadlines: Deadlines, relay: bool
    ) -> Answering:
        """Ask for the whole answer at once. Raises `AttemptFailed`, `InvalidRequest` (the format cannot say it)."""
        answering = await self._send(route, request, key=key, stream=False, deadlines=deadlines, relay=relay)
        try:
            body = await answering.reply.read()
            _take_whole(answering, body)
        except BaseException as stopped:
            answering.reply.close()
            if isinstance(stopped, UpstreamFailed):
                raise AttemptFailed(stopped.failure, provider_request_id=answering.provider_request_id) from stopped
            raise
        return answering

    async def begin(
        self, route: Route, request: ModelRequest, *, key: tuple[int, str], deadlines: Deadlines, relay: bool
    ) -> Answering:
        """Ask for a stream and read it up to its first content. Raises `AttemptFailed`, `InvalidRequest`."""
        answering = await self._send(route, request, key=key, stream=True, deadlines=deadlines, relay=relay)
        decoder = answering.dialect.decoder(relay=answering.relayed)
        answering.decoder = NamingBack(decoder, answering.names) if answering.names else decoder
        answering.pieces = _in_slices(answering.reply.pieces())
        try:
            await _read_to_content(answering)
        except BaseException as stopped:
            answering.reply.close()
            if isinstance(stopped, UpstreamFailed):
                raise AttemptFailed(stopped.failure, answering.answer, answering.provider_request_id) from stopped
            raise
        answering.first_byte_ms = milliseconds(answering.started, self._clock.monotonic())
        return answering

    async def _send(  # noqa: PLR0913 - what is asked of whom, and how
        self,
        route: Route,
        request: ModelRequest,
        *,
        key: tuple[int, str],
        stream: bool,
        deadlines: Deadlines,
        relay: bool,
    ) -> Answering:
        provider = route.provider
        number, secret = key
        spoken = request.spoken
        dialect = provider.dialect_for(route.card.model, spoken)
        shared = spoken == dialect.name
        asked, left_out = (request, ()) if shared else without_foreign_tools(request, dialect.name)
        asked, names = (asked, _NO_NAMES) if shared else with_safe_names(asked)
        wire: WireRequest = dialect.encode(_fitted(asked, route), card=route.card, key=secret, stream=stream)
        started = self._clock.monotonic()
        try:
            reply = await self._upstream.send(provider.name, route.base_url, wire, deadlines)
        except UpstreamFailed as failed:
            raise AttemptFailed(failed.failure) from failed
        first_byte_ms = milliseconds(started, self._clock.monotonic())
        dropped = (*wire.dropped, *left_out)
        relayed = relay and shared and not wire.anew
        answering = Answering(
            route, Answer(), number, started, first_byte_ms, reply, reply.headers, dialect, relayed, dropped, names
        )
        if reply.status != 200:
            raise AttemptFailed(await _refusal(answering), provider_request_id=answering.provider_request_id)
        return answering


async def _refusal(answering: Answering) -> ProviderFailure:
    reply = answering.reply
    try:
        body = await reply.read()
    except UpstreamFailed as cut:
        return replace(cut.failure, status=reply.status)
    finally:
        reply.close()
    return answering.dialect.decode_error(reply.status, reply.headers, body)


async def _in_slices(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces of which none holds so much that it would have to be taken whole or not at all."""
    async for piece in pieces:
        if len(piece) <= SLICE:
            yield piece
        else:
            for start in range(0, len(piece), SLICE):
                yield piece[start : start + SLICE]


async def _read_to_content(answering: Answering) -> None:
    decoder, pieces, answer = answering.decoder, answering.pieces, answering.answer
    if decoder is None or pieces is None:
        message = "a stream is read only after it was begun"
        raise RuntimeError(message)
    async for piece in pieces:
        _take(answering, decoder.feed(piece))
        if answering.speaks or answer.finish is not None or answer.failure is not None:
            break
    else:
        _take(answering, decoder.finish())
    if not answering.speaks or answer.finish is not None:
        _refuse_the_useless(answering)


def _take_whole(answering: Answering, body: bytes) -> None:
    """Read a whole answer. Raises `AttemptFailed` for one that nobody could use."""
    answering.body = body
    events = answering.dialect.decode(body)
    answering.events = named_back(events, answering.names) if answering.names else events
    for event in answering.events:
        answering.answer.apply(event)
    _refuse_the_useless(answering)


def _take(answering: Answering, events: Sequence[Event]) -> None:
    """Fold events and keep those from the first content on."""
    for event in events:
        answering.answer.apply(event)
        answering.speaks = answering.speaks or isinstance(event, CONTENT)
        if isinstance(event, Frame) if answering.relayed else answering.speaks:
            answering.waiting.append(event)


def _refuse_the_useless(answering: Answering) -> None:
    """Raise `AttemptFailed` for an answer nobody could use."""
    failure = uselessness(answering)
    if failure is not None:
        raise AttemptFailed(failure, answering.answer, answering.provider_request_id)


def uselessness(answering: Answering) -> ProviderFailure | None:
    """Why nobody can use an answer that is over, thoughts and sources apart: the caller must not pay for it."""
    answer, provider = answering.answer, answering.route.provider.name
    if answer.failure is not None:
        return answer.failure
    if answer.finish is None:
        return ProviderFailure(provider, FailureKind.CUT_SHORT, "The answer ended before it was complete.")
    if answer.text or answer.refusal or answer.calls or answer.computed or answer.finish in SILENCE_IS_MEANT:
        return None
    if answering.relayed and answer.server_items:  # a caller of the same dialect sees what the provider made
        return None
    if answer.finish is FinishReason.CONTENT_FILTER:
        return ProviderFailure(provider, FailureKind.CONTENT_FILTER, "The provider's content filter kept the answer.")
    return ProviderFailure(provider, FailureKind.MALFORMED, "The answer was empty.")


def milliseconds(start: float, end: float) -> int:
    """A span of monotonic seconds in whole milliseconds."""
    return int((end - start) * 1000.0)


def _fitted(request: ModelRequest, route: Route) -> ModelRequest:
    """The request within the route's token limit."""
    if request.sampling.max_tokens == route.max_tokens:
        return request
    return replace(request, sampling=replace(request.sampling, max_tokens=route.max_tokens))
