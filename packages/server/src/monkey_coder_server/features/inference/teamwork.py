"""Lets several agents work at one task, turn by turn, and keeps the best answer they came to.

What fails, comes too late or is left by its caller costs no answer that is there already: the best so far is kept, and
it is said. Turns that are not worth taking are not taken.
"""

import asyncio

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.teamwork.board import Answered, Board
from monkey_coder_server.domain.teamwork.saying import asked
from monkey_coder_server.domain.teamwork.turns import Turn
from monkey_coder_server.features.inference.arm import Arm
from monkey_coder_server.features.inference.arms import LAST_MOMENT, Arms
from monkey_coder_server.features.inference.branching import Chosen, chosen
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Worked
from monkey_coder_server.features.inference.running import Step
from monkey_coder_server.features.inference.staffing import Crew, Seat
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.within import Within

TOO_LATE, LEFT, SPENT = "deadline", "caller_left", "hold_used_up"


class Teamwork:
    """The turns of one request."""

    def __init__(self, arms: Arms, clock: Clock, flight: Flight, crew: Crew) -> None:
        self._arms = arms
        self._clock = clock
        self._flight = flight
        self._crew = crew
        self._board = Board(crew.team)
        self._untold: list[Step] = []
        self._cut: str | None = None

    async def run(self) -> Chosen:
        """Take turns until nothing is worth doing, there is no time, or nobody waits.

        Raises what the last turn raised when none gave an answer, `ProviderTimedOut` when there was no time for one.
        """
        arms, flight = self._arms, self._flight
        try:
            await self._in_time()
            await arms.stop()
        except BaseException:
            await arms.stop()
            arms.leave_trail()
            flight.abandon()
            raise
        arms.leave_trail()
        if not self._board.answers:
            flight.abandon()
            raise arms.without_answer()
        return self._choose()

    async def _in_time(self) -> None:
        """Work until a moment before the deadline; a caller who left shortens it."""
        job, flight = self._flight.job, self._flight
        left = job.started + job.seconds - LAST_MOMENT - self._clock.monotonic()
        try:
            with Within(max(0.0, left)) as bound:
                flight.watch(bound)
                await self._work()
        except TimeoutError:
            self._cut = LEFT if flight.run.deserted else TOO_LATE
        finally:
            flight.unwatch()

    async def _work(self) -> None:
        board = self._board
        for stage in self._crew.stages:
            wanted = [seat for seat in stage if board.wants(seat.turn)]
            if wanted and self._flight.run.deserted and board.answers:
                self._cut = LEFT
                return
            await self._take(wanted)
            if board.empty_handed:
                await self._rescue()

    async def _take(self, seats: list[Seat]) -> None:
        """Take turns at the same time, until they are over or enough of them agree."""
        arms, board = self._arms, self._board
        for seat in seats:
            if not arms.allows(seat.route):  # further models were asked in the place of those that failed
                self._cut = SPENT
                board.fell_out(seat.turn)
                continue
            arms.start(seat.route, self._request(seat), seat.turn)
        while arms.running:
            done, _ = await asyncio.wait(arms.running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda each: arms.running[each].place):
                self._over(arms.take(task))
            if board.agreed:
                await arms.stop()

    async def _rescue(self) -> None:
        """No agent gave an answer: ask further models one by one, as long as what is held covers them."""
        for seat in self._crew.reserve:
            if not self._board.empty_handed or not self._arms.allows(seat.route):
                return
            await self._take([seat])

    def _request(self, seat: Seat) -> ModelRequest | None:
        """What the model is asked; None for the caller's request itself."""
        request = self._flight.job.request
        turned = asked(request, self._crew.team, seat.turn, self._board.told(seat.turn), seat.room)
        return None if turned is request else turned

    def _over(self, arm: Arm) -> None:
        """Write down what a turn came to."""
        board, turn = self._board, arm.turn
        if turn is None:
            message = "an agent works in turns"
            raise RuntimeError(message)
        if not arm.whole or not arm.text.strip():
            board.fell_out(turn)
        elif turn.act.answers:
            findings = () if arm.verdict is None else tuple([each.reason for each in arm.verdict.failures])
            board.answered(Answered(arm.place, turn, arm.told(self._flight.job), findings))
        else:
            board.noted(turn, arm.text)
        self._tell(arm, turn)

    def _tell(self, arm: Arm, turn: Turn) -> None:
        """Tell a stream what was done. Before there is an answer all may still fail, so nothing is told until then."""
        route = arm.route
        facts = {
            "agent": turn.agent,
            "provider": route.provider.name,
            "model": route.card.model,
            "outcome": arm.outcome,
        }
        self._untold.append(Step(turn.act.value, facts))
        if self._board.answers:
            untold, self._untold = self._untold, []
            self._flight.run.tell(untold)

    def _choose(self) -> Chosen:
        board, job, arms = self._board, self._flight.job, self._arms.all
        arm = arms[board.best().place]
        played = tuple([each.played(job) for each in (arm, *(other for other in arms if other is not arm))])
        alone = len([each for each in board.answers if each.turn.act.first]) == 1
        kept = board.consensus()
        worked = Worked(
            team=self._crew.team,
            played=played,
            rounds=board.rounds,
            approved=board.approved,
            agreement=None if alone else kept.agreement,
            agreed=kept.met and not alone,
            ended_by=self._cut or board.ended_by,
        )
        return chosen(arm, played[0].usage, worked)
