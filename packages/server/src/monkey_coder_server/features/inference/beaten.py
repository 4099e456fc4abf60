"""The arm of a hedge that spoke second, or not at all: read to its end while another answer is passed on."""

import asyncio
from collections.abc import Sequence

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.stream_events import Answer
from monkey_coder_server.features.inference.attempt import SERVED, STOPPED, Attempts
from monkey_coder_server.features.inference.contest import Contender
from monkey_coder_server.features.inference.exchange import Answering, AttemptFailed
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Outcome, Played
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.relay import End, relay
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.trail import Waste, waste_of
from monkey_coder_server.ports.ledger import AttemptRecord


class Beaten:
    """`unpaid` is its answer, once it is over: as far as it came."""

    def __init__(self, contender: Contender, flight: Flight, attempts: Attempts) -> None:
        self.contender = contender
        self._flight = flight
        self._attempts = attempts
        self._answering: Answering | None = None
        self._end: End | None = None
        self._following: asyncio.Task[None] | None = None
        self._noted = False
        self.unpaid: Sequence[Waste] = ()

    def follow(self) -> None:
        """Read on. A call that was not made yet is not made any more."""
        if not self.contender.called:
            self.contender.task.cancel()
        self._following = asyncio.create_task(self._read_on())

    @property
    def runs(self) -> bool:
        """Whether it has no end yet."""
        return self._following is not None and not self._following.done()

    @property
    def speaks(self) -> bool:
        """Whether it has said something."""
        return self._answering is not None

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for its end, so long at most; it goes on when whoever waits is stopped."""
        if self._following is not None:
            await asyncio.wait((self._following,), timeout=seconds)

    async def stop(self) -> None:
        """Read no more of it, and note what it came to."""
        following, self._following = self._following, None
        if following is None:
            return
        if not following.done():
            following.cancel()
            await asyncio.wait((following,))
        self._note()

    def record(self, outcome: str) -> AttemptRecord:
        """Its call as far as that is known, in a word for what becomes of it."""
        route = self.contender.route
        return AttemptRecord(route.provider.name, route.card.model, outcome)

    def silent(self) -> Waste:
        """What it comes to at least where nothing more is heard of it: its prompt, by our own count."""
        return Waste(self.contender.route, Answer(), unfinished=True)

    def played(self, word: str) -> Played:
        """What is told of it, and what the account pays of it."""
        route, usage, identity = self.contender.route, None, None
        if self.unpaid:
            request = self._flight.job.request
            [waste] = self.unpaid
            rule = route.provider.usage_rule_for(route.card.model, request.spoken)
            usage = usage_of(waste.answer, request, rule, unfinished=waste.unfinished)
            identity = waste.provider_request_id
        return Played(route=route, outcome=word, usage=usage, provider_request_id=identity)

    async def _read_on(self) -> None:
        try:
            answering = await self.contender.task
        except (AttemptFailed, GatewayError):
            return
        self._answering = answering
        try:
            if answering.decoder is not None:
                self._end = await relay(answering, _nobody(), self._meter(), _nothing)
        finally:
            answering.close()
        self._sum_up(answering)

    def _meter(self) -> Meter:
        route, flight = self.contender.route, self._flight
        return Meter(
            route.most_output,
            held=route.bound,
            tariff=route.tariff,
            rule=route.provider.usage_rule_for(route.card.model, flight.job.request.spoken),
            prompt=flight.admitted.plan.input_expected,
        )

    def _note(self) -> None:
        answering = self._heard()
        if answering is not None:
            self._sum_up(answering)
        elif self.contender.called and self.contender.task.cancelled():
            self.unpaid = (self.silent(),)

    def _sum_up(self, answering: Answering) -> None:
        """Note its end, once: at once, so that health hears how long it took."""
        if self._noted:
            return
        self._noted, trail = True, self.contender.trail
        if self._end is End.FAILED:
            self._attempts.broke(answering, trail)
            return
        said_all = answering.answer.finish is not None  # a whole answer has, and a stream stopped behind its last word
        finished = self._end is End.FINISHED or (self._end is None and said_all)
        self._attempts.ended(answering, trail, SERVED if finished else STOPPED)
        self.unpaid = (waste_of(answering, unfinished=not finished),)

    def _heard(self) -> Answering | None:
        """Its answer, if it has one: also one that came at the very moment it was stopped."""
        task = self.contender.task
        if self._answering is None and not task.cancelled() and task.exception() is None:
            self._answering = task.result()
            self._answering.close()
        return self._answering


def _nobody() -> Run[Outcome]:
    """A run nobody reads that counts as wanted: all of it is billed, and only its end says how much."""
    run: Run[Outcome] = Run()
    run.join()
    run.leave()
    return run


def _nothing() -> None:
    """Nothing was delivered."""
