"""Learns from every served request: who served it, what it took, and what its answer shows of itself."""

from dataclasses import dataclass, field

from monkey_coder_server.features.inference.beliefs import Beliefs
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.outcomes import Outcomes, ServedBy
from monkey_coder_server.features.inference.signs import Signs
from monkey_coder_server.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Learning:
    """Those that learn, of one process."""

    clock: Clock
    outcomes: Outcomes = field(default_factory=Outcomes)
    foresight: Foresight = field(default_factory=Foresight)
    beliefs: Beliefs = field(default_factory=Beliefs)
    signs: Signs = field(default_factory=Signs)

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
        asked = Asked.of(job, plan)
        self.outcomes.served(job.request_id, by)
        self.foresight.served(served, asked)
        self.signs.note(served, by, asked.like.same, self.clock.monotonic())

    def told(self) -> None:
        """Believe what answers showed since the last time; for between requests."""
        for by, signal in self.signs.told():
            self.beliefs.learn(by, signal)
