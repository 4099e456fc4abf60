"""Passes a model's answer on as it comes, folding it on the way; notices hang-ups, cuts and overlong answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from enum import StrEnum

from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame, UsageReported
from monkey_coder_server.features.inference.exchange import Answering, uselessness
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.running import Opening, Run
from monkey_coder_server.ports.provider import CancelPolicy
from monkey_coder_server.ports.upstream import UpstreamFailed
from monkey_coder_server.web.within import Within

Delivered = Callable[[], None]
LINGER = 0.02
"""Seconds."""


class End(StrEnum):
    """How a stream ended. `LIMIT`: we stopped it at the held limit. `LEFT`: the caller is gone, we stopped reading."""

    FINISHED = "finished"
    FAILED = "failed"
    LIMIT = "limit"
    LEFT = "left"


async def relay(answering: Answering, run: Run[Outcome], meter: Meter, delivered: Delivered) -> End:
    """Pass everything on until the end, whoever makes it; `delivered` hears of each piece that was.

    The reply is closed whatever happens.
    """
    try:
        return await _pass_on(answering, run, meter, delivered)
    finally:
        answering.reply.close()


async def _pass_on(answering: Answering, run: Run[Outcome], meter: Meter, delivered: Delivered) -> End:
    route = answering.route
    run.open(Opening(route.provider.name, route.card.model, answering.relayed, answering.dropped))
    usage = answering.answer.usage
    if usage is not None:
        told_again = any(isinstance(event, UsageReported) for event in answering.waiting)
        meter.see(UsageReported(usage._replace(output_tokens=0, reasoning_tokens=0) if told_again else usage))
    end = _end_of(answering)
    for number, event in enumerate(answering.waiting, start=1):
        meter.see(event)
        if meter.over and end is None:
            await run.push(answering.waiting[:number])
            return _landed(answering)
    await run.push_all(answering.waiting)
    if end is not None:
        return end
    try:
        return await _rest(answering, run, meter, delivered)
    except UpstreamFailed as cut:
        answering.answer.failure = cut.failure
        return End.FAILED


async def _rest(answering: Answering, run: Run[Outcome], meter: Meter, delivered: Delivered) -> End:
    decoder, pieces = answering.decoder, answering.pieces
    if decoder is None or pieces is None:
        message = "only a stream has a rest"
        raise RuntimeError(message)
    policy = answering.route.provider.cancel_policy
    async for piece in pieces:
        await _take(decoder.feed(piece), answering, run, meter)
        delivered()
        end = _end_of(answering)
        if end is not None:
            await _read_out(pieces)
            return end
        if meter.over:
            return _landed(answering)
        if not run.deserted:
            meter.wanted()
        elif policy.stops_at_once or (policy is CancelPolicy.DRAIN and not meter.worth_reading()):
            return End.LEFT
    await _take(decoder.finish(), answering, run, meter)
    return _end_of(answering) or End.FAILED


async def _take(events: Sequence[Event], answering: Answering, run: Run[Outcome], meter: Meter) -> None:
    """Fold events, up to where there are too many, and pass on what the caller's writer reads: frames or events."""
    answer, relayed = answering.answer, answering.relayed
    passed: list[Event] = []
    for event in events:
        if isinstance(event, Frame):
            answer.skimmed += event.skimmed
            passed.append(event)
        else:
            answer.apply(event)
            if not relayed:
                passed.append(event)
        meter.see(event)
        if meter.over:
            break
    if passed:
        await run.push(passed)


def _landed(answering: Answering) -> End:
    """End an answer that is longer than it may be as the dialect's "length"."""
    answering.answer.finish = FinishReason.LENGTH
    return End.LIMIT


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
