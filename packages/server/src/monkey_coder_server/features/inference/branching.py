"""Asks several arms for one answer, at once or one by one, until the rule has enough; the rest are cancelled."""

import asyncio
from collections import deque
from dataclasses import dataclass

from monkey_coder_server.domain.collapse import Collapse, Kept, Told, decided, keep
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.arm import Arm
from monkey_coder_server.features.inference.arms import LAST_MOMENT, Arms
from monkey_coder_server.features.inference.escalation import Escalation
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Collapsed, Worked
from monkey_coder_server.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Chosen:
    """The arm whose answer is kept, and what is told of all."""

    arm: Arm
    answering: Answering
    usage: Usage
    told: Collapsed | Worked


class Branching:
    """The arms of one request, asked by a rule."""

    def __init__(self, arms: Arms, clock: Clock, flight: Flight) -> None:
        self._arms = arms
        self._clock = clock
        self._flight = flight
        self._waiting = deque(flight.admitted.routes)
        self._answered: list[Arm] = []
        self._escalation = Escalation.of(flight.admitted.sequencing, flight.admitted.hold.amount)

    async def run(self, collapse: Collapse) -> Chosen:
        """Ask until the rule has enough.

        Raises what the last arm raised when none gave an answer, `ProviderTimedOut` when there was no time for one.
        """
        arms = self._arms
        try:
            await self._ask(collapse)
            await arms.stop()
        except BaseException:
            await arms.stop()
            arms.leave_trail()
            self._flight.abandon()
            raise
        arms.leave_trail()
        if not self._answered:
            self._flight.abandon()
            raise arms.without_answer()
        return self._choose(collapse)

    async def _ask(self, collapse: Collapse) -> None:
        job, arms = self._flight.job, self._arms
        deadline = job.started + job.seconds - LAST_MOMENT
        while not self._decided(collapse):
            while self._waiting and len(arms.running) < collapse.at_once:
                arms.start(self._waiting.popleft())
            if not arms.running:
                return
            left = max(0.0, deadline - self._clock.monotonic())
            done, _ = await asyncio.wait(arms.running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                return
            for task in sorted(done, key=lambda each: arms.running[each].place):
                arm = arms.take(task)
                if arm.whole:
                    self._answered.append(arm)

    def _decided(self, collapse: Collapse) -> bool:
        """Whether the answers there are suffice; in a cascade the next arm is put first where they do not."""
        if self._escalation is None:
            return decided(collapse, self._told())
        wanted = self._escalation.following(self._arms.all)
        self._waiting = deque(sorted(self._waiting, key=lambda route: route.name != wanted))
        return wanted is None

    def _told(self) -> list[Told]:
        return [arm.told(self._flight.job) for arm in self._answered]

    def _choose(self, collapse: Collapse) -> Chosen:
        job = self._flight.job
        kept = self._keep(collapse)
        arm = self._answered[kept.place]
        played = tuple([each.played(job) for each in (arm, *(other for other in self._arms.all if other is not arm))])
        return chosen(arm, played[0].usage, Collapsed(collapse=collapse, kept=kept, played=played))

    def _keep(self, collapse: Collapse) -> Kept:
        likeliest = None if self._escalation is None else self._escalation.likeliest(self._arms.all)
        for place, arm in enumerate(self._answered):
            if arm.route.name == likeliest:
                return Kept(place, None, met=arm.verdict is not None and arm.verdict.passed)
        return keep(collapse, self._told())


def chosen(arm: Arm, usage: Usage | None, told: Collapsed | Worked) -> Chosen:
    """The arm that is kept, which must have answered."""
    answering = arm.answering
    if answering is None or usage is None:
        message = "an arm was kept that gave no answer"
        raise RuntimeError(message)
    return Chosen(arm, answering, usage, told)
