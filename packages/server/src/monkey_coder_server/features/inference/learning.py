"""Learns from every served request: who served it, what it took, and what its answer shows of itself."""

from monkey_coder_server.features.inference.beliefs import Beliefs, Signal
from monkey_coder_server.features.inference.decision_log import DecisionQueue
from monkey_coder_server.features.inference.exploration import Exploration
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.outcomes import Outcomes, ServedBy, Tally, arm_of
from monkey_coder_server.features.inference.signs import Signs
from monkey_coder_server.ports.clock import Clock


class Learning:
    """Those that learn, of one process."""

    def __init__(self, clock: Clock, decisions: DecisionQueue | None = None) -> None:
        self._clock = clock
        self.decisions = decisions or DecisionQueue(clock)
        self.outcomes = Outcomes()
        self.foresight = Foresight()
        self.beliefs = Beliefs()
        self.exploration = Exploration(self.beliefs)
        self._signs = Signs()

    def served(self, served: Served) -> None:
        """Take in a request that was settled."""
        job, plan = served.job, served.plan
        by = ServedBy(
            job.principal.account_id,
            served.route.name,
            job.wishes.task_type,
            plan.work.kind,
            plan.work.language,
            plan.effort,
        )
        self.outcomes.served(job.request_id, by)
        if served.worked is not None:  # what was told of others' work is no prompt like the caller's
            return
        asked = Asked.of(job, plan)
        self.foresight.served(served, asked)
        if served.collapsed is None:  # which of several answers is kept says nothing about the router's choice
            self.exploration.played(served)
            self.decisions.served(served, (arm_of(plan.order[0].name, plan.effort), by.arm))
        self._signs.note(served, by, asked.like.same, self._clock.monotonic())

    def reported(self, request_id: str, by: ServedBy, signal: Signal, name: str) -> Tally:
        """Take in how a request turned out, and what said so; the counts of its model and task type."""
        self.decisions.told(request_id, signal, name)
        self.beliefs.report(request_id, by, signal)
        self.exploration.told(request_id, signal.quality)
        return self.outcomes.report(request_id, by, signal.quality)

    def told(self) -> None:
        """Believe what answers showed since the last time; for between requests."""
        for by, signal in self._signs.told():
            self.beliefs.learn(by, signal)
