"""Passes a model's answer on as it comes, folding it on the way; notices hang-ups, cuts and overlong answers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from enum import StrEnum

from monkey_coder_server.domain.stream_events import (
    Event,
    FinishReason,
    Frame,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from monkey_coder_server.features.inference.exchange import Answering, uselessness
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.running import Opening, Run
from monkey_coder_server.ports.provider import CancelPolicy
from monkey_coder_server.ports.upstream import UpstreamFailed
from monkey_coder_server.web.within import Within

LONGEST_TOKEN = 16
"""Characters a token has at most on average over a whole answer; more means the provider ignores the limit."""
SLACK = 4_096
LINGER = 0.02
"""Seconds."""
_SPOKEN = (TextDelta, ThinkingDelta, RefusalDelta)


class End(StrEnum):
    """How a stream ended. `LIMIT`: we stopped it at the held limit. `LEFT`: the caller is gone, we stopped reading."""

    FINISHED = "finished"
    FAILED = "failed"
    LIMIT = "limit"
    LEFT = "left"


async def relay(answering: Answering, run: Run[Outcome]) -> End:
    """Pass everything on until the end, whoever makes it. The reply is closed whatever happens."""
    try:
        return await _pass_on(answering, run)
    finally:
        await answering.reply.close()


async def _pass_on(answering: Answering, run: Run[Outcome]) -> End:
    route = answering.route
    run.open(Opening(route.provider.name, route.card.model, answering.relayed, answering.dropped))
    counter = _Counter(route.max_tokens)
    for event in answering.waiting:
        counter.see(event)
        await run.push(event)
    end = _end_of(answering)
    if end is not None:
        return end
    try:
        return await _rest(answering, run, counter)
    except UpstreamFailed as cut:
        answering.answer.failure = cut.failure
        return End.FAILED


async def _rest(answering: Answering, run: Run[Outcome], counter: "_Counter") -> End:
    decoder, pieces = answering.decoder, answering.pieces
    if decoder is None or pieces is None:
        message = "only a stream has a rest"
        raise RuntimeError(message)
    stops_when_left = answering.route.provider.cancel_policy is CancelPolicy.CANCEL
    async for piece in pieces:
        await _take(decoder.feed(piece), answering, run, counter)
        end = _end_of(answering)
        if end is not None:
            await _read_out(pieces)
            return end
        if counter.over:
            answering.answer.finish = FinishReason.LENGTH
            return End.LIMIT
        if stops_when_left and run.deserted:
            return End.LEFT
    await _take(decoder.finish(), answering, run, counter)
    return _end_of(answering) or End.FAILED


async def _take(events: Sequence[Event], answering: Answering, run: Run[Outcome], counter: "_Counter") -> None:
    """Fold events and pass on what the caller's writer reads: frames of its own dialect, else what they say."""
    answer, relayed = answering.answer, answering.relayed
    for event in events:
        if isinstance(event, Frame):
            answer.skimmed += event.skimmed
            await run.push(event)
        else:
            answer.apply(event)
            if not relayed:
                await run.push(event)
        counter.see(event)


async def _read_out(pieces: AsyncIterator[bytes]) -> None:
    """Read to the end of the reply, which is there already as a rule, so that its connection can be used again."""
    with suppress(TimeoutError, UpstreamFailed), Within(LINGER):
        async for _ in pieces:
            pass


def _end_of(answering: Answering) -> End | None:
    """How the stream ended, None while it goes on. One that ended without a word for the caller has failed."""
    answer = answering.answer
    if answer.failure is None and answer.finish is not None:
        answer.failure = uselessness(answering)
    if answer.failure is not None:
        return End.FAILED
    return None if answer.finish is None else End.FINISHED


class _Counter:
    """Counts what was said, in characters, against a limit no honest answer of `max_tokens` can reach."""

    __slots__ = ("_limit", "_seen")

    def __init__(self, max_tokens: int) -> None:
        self._limit = max_tokens * LONGEST_TOKEN + SLACK
        self._seen = 0

    def see(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._seen += event.skimmed
        elif isinstance(event, _SPOKEN):
            self._seen += len(event.text)
        elif isinstance(event, ToolCallDelta):
            self._seen += len(event.fragment)

    @property
    def over(self) -> bool:
        return self._seen > self._limit
