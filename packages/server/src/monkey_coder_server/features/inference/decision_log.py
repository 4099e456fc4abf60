"""Logs where served requests were sent and why, and how they turned out: noted in a bounded queue, written in batches.

A full queue drops the oldest and counts it; a database that is away delays the log, never a request. Nothing of what
was said is noted: classes of work, names of models, figures.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from monkey_coder_server.domain.catalog import Mode
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.plan import Decision, Plan
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.routing_store import DecisionLog, RoutingDecision, RoutingOutcome, Weighed

MOST_WAITING = 10_000
"""Decisions, and as many outcomes, that wait at most."""
WRITTEN_AT_ONCE = 100
"""A few milliseconds of work where the database is in this process."""


class Batch(NamedTuple):
    """What is written together."""

    decisions: Sequence[RoutingDecision]
    outcomes: Sequence[RoutingOutcome]


class _Noted(NamedTuple):
    """A decision without its candidates, and what they are made of when it is written."""

    decided: RoutingDecision
    decision: Decision
    effort: str
    shares: tuple[float, ...]
    """With which probability each candidate was to be played."""


class DecisionQueue:
    """What waits to be written. `dropped` counts what never will be."""

    def __init__(self, clock: Clock, most: int = MOST_WAITING) -> None:
        self._clock = clock
        self._most = most
        self._decisions: OrderedDict[str, _Noted] = OrderedDict()
        self._outcomes: OrderedDict[str, RoutingOutcome] = OrderedDict()
        self.dropped = 0

    def served(self, served: Served, arms: tuple[str, str]) -> None:
        """Note a request that had a choice of models: `arms` are the chosen one and the one that answered."""
        plan, job = served.plan, served.job
        ranking = plan.decision.ranking
        if ranking.mode is Mode.PINNED or job.locked is not None or len(ranking.candidates) == 1:
            return
        chosen, answered = arms
        decided = RoutingDecision(
            request_id=job.request_id,
            at=served.finished_at,
            account_id=job.principal.account_id,
            kind=plan.work.kind,
            language=plan.work.language,
            size=plan.work.size,
            mode=ranking.mode.value,
            arm=chosen,
            propensity=1.0 if plan.draw is None else plan.draw.propensity,
            explored=plan.draw is not None,
            served=answered,
            cost=served.route.tariff.price(served.usage),
            latency_ms=served.latency_ms,
            candidates=(),
        )
        self._decisions[job.request_id] = _Noted(decided, plan.decision, plan.effort, _shares(plan))
        if len(self._decisions) > self._most:
            self._decisions.popitem(last=False)
            self.dropped += 1

    def told(self, request_id: str, signal: Signal, name: str) -> None:
        """Note how a request turned out; of several signals the heaviest counts, of equals the latest."""
        earlier = self._outcomes.pop(request_id, None)
        if earlier is not None and earlier.weight > signal.weight:
            self._outcomes[request_id] = earlier
            return
        self._outcomes[request_id] = RoutingOutcome(request_id, self._clock.now(), signal.quality, signal.weight, name)
        if len(self._outcomes) > self._most:
            self._outcomes.popitem(last=False)
            self.dropped += 1

    def batch(self) -> Batch | None:
        """The oldest that wait, which stay until `written`; None when nothing does."""
        if not self._decisions and not self._outcomes:
            return None
        made: dict[tuple[int, str, tuple[float, ...]], tuple[Weighed, ...]] = {}
        decisions = []
        for decided, decision, effort, shares in islice(self._decisions.values(), WRITTEN_AT_ONCE):
            place = (id(decision), effort, shares)
            if place not in made:
                made[place] = weighed(decision, effort, shares)
            decisions.append(replace(decided, candidates=made[place]))
        return Batch(decisions, list(islice(self._outcomes.values(), WRITTEN_AT_ONCE)))

    def written(self, batch: Batch) -> None:
        """These are in the log; what was noted of the same requests meanwhile stays."""
        for decision in batch.decisions:
            self._decisions.pop(decision.request_id, None)
        for outcome in batch.outcomes:
            if self._outcomes.get(outcome.request_id) is outcome:
                del self._outcomes[outcome.request_id]


class DecisionWriter:
    """Writes what waits every so many seconds, and at the end."""

    def __init__(self, queue: DecisionQueue, log: DecisionLog, *, seconds: float) -> None:
        self._queue = queue
        self._log = log
        self._seconds = seconds
        self._writing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._writing = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write the rest."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self._write()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._write()

    async def _write(self) -> None:
        with suppress(GatewayError):
            while batch := self._queue.batch():
                await self._log.write(*batch)
                self._queue.written(batch)


def _shares(plan: Plan) -> tuple[float, ...]:
    """The one tried first had all the probability where nothing was drawn."""
    if plan.draw is not None:
        return plan.draw.probabilities
    return tuple([float(place == plan.place) for place in range(len(plan.decision.order))])


def weighed(decision: Decision, effort: str, shares: Sequence[float]) -> tuple[Weighed, ...]:
    """Every candidate with its numbers and the probability with which it was to be played."""
    ending = f"@{effort}" if effort else ""
    return tuple(
        Weighed(
            arm=f"{each.name}{ending}",
            quality=each.expected.success,
            spread=each.expected.spread,
            cost=each.expected.cost,
            latency_ms=round(each.expected.latency_ms),
            propensity=share,
        )
        for each, share in zip(decision.ranking.candidates, shares, strict=True)
    )
