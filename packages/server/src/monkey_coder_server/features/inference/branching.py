"""Asks several arms for one answer: at once or one after the other, until the rule has enough; the rest are cancelled.

Nothing of an answer leaves before one is kept, so none has to be taken back. What all started arms can cost together
never exceeds what is held. An arm that is cancelled is paid for as far as it had answered.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.collapse import Collapse, decided, keep
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.domain.verification.checks import verdict
from monkey_coder_server.features.inference.arm import Arm
from monkey_coder_server.features.inference.attempt import STOPPED, Attempts, Effort, Trail
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Collapsed, Outcome
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.relay import End, relay
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Bill

STREAMED = True
"""Answers are streamed from providers, so that they can be stopped, and counted as far as they came."""
LAST_MOMENT = 0.25
"""Seconds before the deadline at which the answers there are must do."""

Calling = Callable[[Route, Effort], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The arm whose answer is kept, and what is told of all."""

    arm: Arm
    answering: Answering
    usage: Usage
    collapsed: Collapsed


class Branching:
    """The arms of one request. `calling` is awaited before each call, as in `Effort`."""

    def __init__(self, attempts: Attempts, clock: Clock, flight: Flight, calling: Calling) -> None:
        self._attempts = attempts
        self._clock = clock
        self._flight = flight
        self._calling = calling
        self._waiting = deque(flight.admitted.routes)
        self._commitment = Commitment(flight.admitted.hold.amount)
        self._arms: list[Arm] = []
        self._running: dict[asyncio.Task[None], Arm] = {}
        self._answered: list[Arm] = []

    async def run(self, collapse: Collapse) -> Chosen:
        """Ask until the rule has enough.

        Raises what the last arm raised when none gave an answer, `ProviderTimedOut` when there was no time for one.
        """
        try:
            await self._ask(collapse)
            await self._stop()
        except BaseException:
            await self._stop()
            self._leave_trail()
            self._flight.abandon()
            raise
        self._leave_trail()
        if not self._answered:
            self._flight.abandon()
            raise self._without_answer()
        return self._choose(collapse)

    def bills_beside(self, trail: Trail) -> tuple[Bill, ...]:
        """What the arms that were called come to so far, but for the one that leaves this trail."""
        flight = self._flight
        prompt = flight.admitted.plan.input_expected
        return tuple(
            [
                bill
                for arm in self._arms
                if arm.called and arm.trail is not trail
                for bill in arm.bills(flight.job, prompt=prompt)
            ]
        )

    async def _ask(self, collapse: Collapse) -> None:
        job = self._flight.job
        deadline = job.started + job.seconds - LAST_MOMENT
        while not decided(collapse, [arm.told(job) for arm in self._answered]):
            while self._waiting and len(self._running) < collapse.at_once:
                self._start(self._waiting.popleft())
            if not self._running:
                return
            left = max(0.0, deadline - self._clock.monotonic())
            done, _ = await asyncio.wait(self._running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                return
            for task in sorted(done, key=lambda each: self._running[each].place):
                arm = self._running.pop(task)
                task.result()
                if arm.whole:
                    self._answered.append(arm)

    def _start(self, route: Route) -> None:
        self._commitment = self._commitment.with_started(route.bound)
        arm = Arm(len(self._arms), route, self._flight.admitted.plan.success(route.name))
        self._arms.append(arm)
        self._running[asyncio.create_task(self._answer(arm))] = arm

    async def _answer(self, arm: Arm) -> None:
        """One arm's answer, to its end."""
        job, route = self._flight.job, arm.route
        effort = Effort((route,), job.request, STREAMED, job.started + job.seconds, arm.trail, partial(self._call, arm))
        try:
            arm.answering = answering = await self._attempts.run(effort)
        except GatewayError as error:
            arm.error = error
            return
        meter = Meter(
            route.most_output,
            held=route.bound,
            tariff=route.tariff,
            rule=route.provider.usage_rule_for(route.card.model, job.request.spoken),
            prompt=self._flight.admitted.plan.input_expected,
        )
        try:
            end = await relay(answering, _unread(arm), meter, _nothing_delivered)
        finally:
            await answering.close()
        if end is End.FAILED:
            arm.error = self._attempts.broke(answering, arm.trail)
            return
        arm.end = end
        self._attempts.ended(answering, arm.trail, arm.outcome)
        arm.verdict = await asyncio.to_thread(
            verdict, job.request, answering.answer, files=job.files, task_type=job.wishes.task_type
        )

    async def _call(self, arm: Arm, route: Route, effort: Effort) -> None:
        arm.called = True
        await self._calling(route, effort)

    async def _stop(self) -> None:
        """Cancel what still runs, and wait until it has let go of its provider."""
        running, self._running = self._running, {}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        for arm in running.values():
            if arm.answering is not None and arm.stopped:
                self._attempts.ended(arm.answering, arm.trail, STOPPED)

    def _choose(self, collapse: Collapse) -> Chosen:
        job = self._flight.job
        kept = keep(collapse, [arm.told(job) for arm in self._answered])
        arm = self._answered[kept.place]
        played = tuple([each.played(job) for each in (arm, *(other for other in self._arms if other is not arm))])
        answering, usage = arm.answering, played[0].usage
        if answering is None or usage is None:
            message = "an arm was kept that gave no answer"
            raise RuntimeError(message)
        return Chosen(arm, answering, usage, Collapsed(collapse=collapse, kept=kept, played=played))

    def _leave_trail(self) -> None:
        """Tell the request what was tried, and which answers the house bears if none is charged."""
        trail = self._flight.trail
        for arm in self._arms:
            trail.records.extend(arm.trail.records)
            trail.wasted.extend(arm.trail.wasted)
            trail.route = arm.route
        self._flight.unpaid = [waste for arm in self._arms for waste in arm.unpaid()]

    def _without_answer(self) -> GatewayError:
        errors = [arm.error for arm in self._arms if arm.error is not None]
        return errors[-1] if errors else self._flight.too_late()


def _unread(arm: Arm) -> Run[Outcome]:
    """A run nobody reads: its events go to the arm, and no buffer fills."""
    run: Run[Outcome] = Run()
    run.echo(arm)
    run.join()
    run.leave()
    return run


def _nothing_delivered() -> None:
    """The caller gets an answer only when it is kept."""
