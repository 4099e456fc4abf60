"""The arms of one request: each started within what is held, asked to its end, told of in the books and on its receipt.

Nothing of an answer leaves before one is kept, so none has to be taken back. What all started arms can cost together
never exceeds what is held. An arm that is cancelled is paid for as far as it had answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.teamwork.turns import Turn
from monkey_coder_server.domain.verification.checks import verdict
from monkey_coder_server.features.inference.arm import Arm
from monkey_coder_server.features.inference.attempt import STOPPED, Attempts, Effort
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.relay import End, relay
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.ports.ledger import Bill

STREAMED = True
"""Answers are streamed from providers, so that they can be stopped, and counted as far as they came."""
RELAY = False
"""Answers are read, so that they can be checked: none is passed on unread, though it is in the caller's own dialect."""
LAST_MOMENT = 0.25
"""Seconds before the deadline at which the answers there are must do."""

Calling = Callable[[Route, Effort], Awaitable[None]]


class Arms:
    """`calling` is awaited before each call, as in `Effort`."""

    def __init__(self, attempts: Attempts, flight: Flight, calling: Calling) -> None:
        self._attempts = attempts
        self._flight = flight
        self._calling = calling
        self._commitment = Commitment(flight.admitted.hold.amount)
        self.all: list[Arm] = []
        self.running: dict[asyncio.Task[None], Arm] = {}

    def allows(self, route: Route) -> bool:
        """Whether what is held covers one more arm."""
        return self._commitment.allows(route.bound)

    def start(self, route: Route, request: ModelRequest | None = None, turn: Turn | None = None) -> Arm:
        """Ask one more arm, for the request itself or for another in its place. Raises `HoldExceeded`."""
        self._commitment = self._commitment.with_started(route.bound)
        admitted = self._flight.admitted
        success = admitted.plan.success(route.name)
        asked = self._flight.job.request if request is None else request
        arm = Arm(len(self.all), route, success, asked, turn, Trail(request=request))
        self.all.append(arm)
        self.running[asyncio.create_task(self._answer(arm))] = arm
        return arm

    def take(self, task: "asyncio.Task[None]") -> Arm:
        """The arm of a task that is over. Raises what was no failure of its provider."""
        arm = self.running.pop(task)
        task.result()
        return arm

    async def stop(self) -> None:
        """Cancel what still runs, and wait until it has let go of its provider."""
        running, self.running = self.running, {}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        for arm in running.values():
            if arm.answering is not None and arm.stopped:
                self._attempts.ended(arm.answering, arm.trail, STOPPED)

    def bills_beside(self, trail: Trail) -> tuple[Bill, ...]:
        """What the arms that were called come to so far, but for the one that leaves this trail."""
        job = self._flight.job
        return tuple(
            [
                bill
                for arm in self.all
                if arm.called and arm.trail is not trail
                for bill in arm.bills(job, prompt=self._prompt(arm))
            ]
        )

    def leave_trail(self) -> None:
        """Tell the request what was tried, and which answers the house bears if none is charged."""
        trail = self._flight.trail
        for arm in self.all:
            trail.records.extend(arm.trail.records)
            trail.wasted.extend(arm.trail.wasted)
            trail.route = arm.route
        self._flight.unpaid = [waste for arm in self.all for waste in arm.unpaid()]

    def without_answer(self) -> GatewayError:
        """Why there is none: what the last arm that failed told, else that there was no time for one."""
        errors = [arm.error for arm in self.all if arm.error is not None]
        return errors[-1] if errors else self._flight.too_late()

    async def _answer(self, arm: Arm) -> None:
        """One arm's answer, to its end."""
        job, route = self._flight.job, arm.route
        calling, deadline = partial(self._call, arm), job.started + job.seconds
        effort = Effort(
            account=job.principal.account_id,
            routes=(route,),
            request=arm.request,
            thread=self._flight.thread,
            stream=STREAMED,
            deadline=deadline,
            trail=arm.trail,
            calling=calling,
            relay=RELAY,
        )
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
            prompt=self._prompt(arm),
        )
        try:
            end = await relay(answering, _unread(arm), meter, _nothing_delivered)
        finally:
            answering.close()
        if end is End.FAILED:
            arm.error = self._attempts.broke(answering, arm.trail)
            return
        arm.end = end
        self._attempts.ended(answering, arm.trail, arm.outcome)
        if arm.answers:
            arm.verdict = await asyncio.to_thread(
                verdict, job.request, answering.answer, files=job.files, task_type=job.wishes.task_type
            )

    async def _call(self, arm: Arm, route: Route, effort: Effort) -> None:
        arm.called = True
        await self._calling(route, effort)

    def _prompt(self, arm: Arm) -> int:
        """The tokens its prompt is expected to be."""
        flight = self._flight
        return flight.admitted.plan.input_expected if arm.request is flight.job.request else arm.expected_input


def _unread(arm: Arm) -> Run[Outcome]:
    """A run nobody reads: its events go to the arm, and no buffer fills."""
    run: Run[Outcome] = Run()
    run.echo(arm)
    run.join()
    run.leave()
    return run


def _nothing_delivered() -> None:
    """The caller gets an answer only when it is kept."""
