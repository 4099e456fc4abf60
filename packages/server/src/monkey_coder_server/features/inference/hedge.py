"""The second arm of a request: who it may be, who pays for the one that is beaten, and how that comes to its end.

The beaten one is read on, as that of a caller who left, while the kept answer is passed on; what still runs after
that is stopped. It is the house's cost where the caller did not ask for a hedge, and else on the caller's receipt.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.bound_sessions import bound_to_its_model
from monkey_coder_server.domain.catalog import Kind, Mode
from monkey_coder_server.domain.collapse import Kept, Rule
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.attempt import SERVED, STOPPED, Attempts
from monkey_coder_server.features.inference.contest import Contender
from monkey_coder_server.features.inference.exchange import Answering, AttemptFailed
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Collapsed, Hedged, Outcome, Played
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.relay import End, relay
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.trail import Trail, Waste, waste_of
from monkey_coder_server.ports.ledger import AttemptRecord, Bill
from monkey_coder_server.ports.provider import CancelPolicy

OPEN = frozenset({Mode.BALANCED, Mode.FAST})
"""How a request leaves the model open that is hedged unasked."""
BEATEN = "beaten"
"""Outcome of a call whose second, or whose first, spoke sooner; the caller asked for both, so it pays for both."""
BEATEN_UNPAID = "beaten_unpaid"
"""The same where the caller did not ask for it: the house pays."""
A_LITTLE = 0.25
"""Seconds a beaten arm that says nothing is waited for once the kept answer is there: what it says then is billed."""
READ_OUT = 2.0
"""Seconds an arm that speaks is read on: its bill is known exactly at its end only."""


@dataclass(slots=True)
class HedgeFigures:
    """Of this process: second calls that were made, and those that spoke before the first."""

    started: int = 0
    won: int = 0


class Hedges:
    """Says which requests are hedged: those that ask for it, and those that leave the model open, where `unasked`.

    Who asks for the best model waits for it, and who asks for the cheapest, or the next of a cascade whose answers it
    checks itself, is not given a dearer one.
    """

    def __init__(self, attempts: Attempts, figures: HedgeFigures, *, unasked: bool) -> None:
        self._attempts = attempts
        self._figures = figures
        self._unasked = unasked

    def of(self, flight: Flight) -> "Hedge | None":
        """The hedge of a request; None where there shall be none."""
        job, admitted = flight.job, flight.admitted
        if job.collapse is not None and job.collapse.rule is Rule.HEDGE:
            asked, allowed = True, admitted.several
        else:
            mode = admitted.plan.decision.ranking.mode
            asked = False
            ordinary = job.wishes.kind is Kind.CHAT and job.rounds is None
            allowed = self._unasked and mode in OPEN and not admitted.several and ordinary
        return Hedge(flight, self._attempts, self._figures, asked=asked) if allowed else None


class Hedge:
    """Implements `contest.Contest` for one request. `asked`: its caller wants it, and both arms are held."""

    def __init__(self, flight: Flight, attempts: Attempts, figures: HedgeFigures, *, asked: bool) -> None:
        self._flight = flight
        self._attempts = attempts
        self._figures = figures
        self._asked = asked
        self._running: list[Contender] = []
        self._first: Contender | None = None
        self._second: Contender | None = None
        self._won = False
        self._beaten: _Beaten | None = None

    def seconds(self, first: Route, pending: Sequence[Route]) -> Iterator[Route]:
        """Other providers, then other models of the same, then the same model by another key.

        A conversation bound to its model stays with it; for a caller who left there is no second. What both can cost is
        held where the caller pays for both.
        """
        job, hold = self._flight.job, self._flight.admitted.hold
        if self._flight.run.deserted:
            return iter(())
        others = [] if bound_to_its_model(job.request) else [each for each in pending if each.name != first.name]
        others.sort(key=lambda each: each.provider.name == first.provider.name)
        committed = Commitment(hold.amount).with_started(first.bound) if self._asked else Commitment(hold.amount)
        return (each for each in (*others, first) if committed.allows(each.bound))

    def entered(self, contender: Contender) -> None:
        """A call begins; one beside another is the second."""
        if self._running:
            self._second = contender
            self._figures.started += 1
        else:
            self._first, self._second = contender, None
        self._running.append(contender)

    def left(self, contender: Contender) -> None:
        """A call is over without an answer."""
        self._running.remove(contender)

    def kept(self, winner: Contender, beaten: Contender | None) -> None:
        """The winner's answer is passed on; the other is read on beside it, unless nothing of it is billed yet."""
        self._won = winner is self._second
        self._figures.won += self._won
        self._running.clear()
        if beaten is None:
            return
        self._running.append(beaten)
        self._beaten = _Beaten(beaten, self._flight, self._attempts)
        self._beaten.follow()

    def bills_beside(self, _: Trail) -> tuple[Bill, ...]:
        """What the arms that run beside the one in question come to: at least their prompts."""
        prompt = self._flight.admitted.plan.input_expected
        usage = Usage(uncached_input=prompt, estimated=True, doubts=("usage",))
        return tuple(
            [
                Bill(each.route.provider.name, each.route.card.model, usage, each.route.tariff.cost(usage))
                for each in self._running
                if each.called
            ]
        )

    async def close(self, *, kept: bool) -> None:
        """The kept answer is there, or (`kept` False) there is none: bring the beaten arm to its end and note it."""
        beaten, self._running = self._beaten, []
        if beaten is None:
            return
        await beaten.close(patient=kept)
        trail = self._flight.trail
        trail.records.extend(
            [
                replace(each, outcome=self._word) if each.outcome in {SERVED, STOPPED} else each
                for each in beaten.records
            ]
        )
        trail.wasted.extend(beaten.contender.trail.wasted)
        if self._asked and kept:
            self._flight.unpaid = beaten.unpaid
        else:
            trail.wasted.extend(beaten.unpaid)

    def told(self) -> Hedged | None:
        """What an answer says of its hedge; None where no second arm was started."""
        other = self._first if self._won else self._second
        if other is None or self._second is None:
            return None
        return Hedged(asked=self._asked, won=self._won, other=other.route, beaten=self._beaten is not None)

    def collapsed(self, answering: Answering, usage: Usage) -> Collapsed | None:
        """Both arms of a caller who pays for both; None where it pays for one."""
        collapse, beaten = self._flight.job.collapse, self._beaten
        if not self._asked or beaten is None or collapse is None:
            return None
        winner = Played(
            route=answering.route,
            outcome=SERVED,
            usage=usage,
            provider_request_id=answering.provider_request_id,
        )
        return Collapsed(collapse=collapse, kept=Kept(0, None, met=True), played=(winner, beaten.played(self._word)))

    @property
    def _word(self) -> str:
        return BEATEN if self._asked else BEATEN_UNPAID


class _Beaten:
    """The arm that spoke second, or not at all."""

    def __init__(self, contender: Contender, flight: Flight, attempts: Attempts) -> None:
        self.contender = contender
        self._flight = flight
        self._attempts = attempts
        self._answering: Answering | None = None
        self._end: End | None = None
        self._following: asyncio.Task[None] | None = None
        self.unpaid: Sequence[Waste] = ()
        """Its answer, as far as it came."""

    def follow(self) -> None:
        """Read on what may be billed: nothing is where the provider was not called, or bills only what it has said."""
        contender = self.contender
        if not contender.called or contender.route.provider.cancel_policy is CancelPolicy.CANCEL:
            contender.task.cancel()
        self._following = asyncio.create_task(self._read_on())

    async def close(self, *, patient: bool) -> None:
        """Wait a little, or not, for its end, then stop it."""
        following = self._following
        if following is None:
            return
        try:
            if patient:
                await asyncio.wait((following,), timeout=A_LITTLE)
            if patient and self._answering is not None:
                await asyncio.wait((following,), timeout=READ_OUT)
        finally:
            following.cancel()
        await asyncio.wait((following,))
        self._note()

    @property
    def records(self) -> Sequence[AttemptRecord]:
        """Its call, if there was one."""
        return self.contender.trail.records

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
            self._end = (
                await relay(answering, _nobody(), self._meter(), _nothing) if answering.decoder else End.FINISHED
            )
        finally:
            await answering.close()

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
        answering, trail = self._answering, self.contender.trail
        if answering is None:
            return
        if self._end is End.FAILED:
            self._attempts.broke(answering, trail)
            return
        finished = self._end is End.FINISHED
        self._attempts.ended(answering, trail, SERVED if finished else STOPPED)
        self.unpaid = (waste_of(answering, unfinished=not finished),)


def _nobody() -> Run[Outcome]:
    """A run whose caller has left."""
    run: Run[Outcome] = Run()
    run.leave()
    return run


def _nothing() -> None:
    """Nothing was delivered."""
