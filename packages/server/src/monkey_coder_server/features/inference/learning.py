"""Learns from every served request: who served it, what it took, and what its answer shows of itself."""

from msgspec.structs import replace

from monkey_coder_server.domain.catalog import Kind, Mode
from monkey_coder_server.domain.verification.trust import Trust
from monkey_coder_server.features.inference.beliefs import Beliefs, Signal
from monkey_coder_server.features.inference.callers_checks import CallersChecks
from monkey_coder_server.features.inference.checking import Checking
from monkey_coder_server.features.inference.decision_log import DecisionQueue
from monkey_coder_server.features.inference.exploration import Exploration
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.job import Collapsed, Served
from monkey_coder_server.features.inference.outcomes import Outcomes, ServedBy, Tally, arm_of
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.sequences import ranked
from monkey_coder_server.features.inference.sessions import Sessions
from monkey_coder_server.features.inference.signs import ASKED_AGAIN, Signs
from monkey_coder_server.features.inference.texts import Texts
from monkey_coder_server.features.inference.verdicts import Verdicts
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
        self.trust = Trust()
        self.verdicts = Verdicts(self.trust, self.beliefs)
        self.checking = Checking(self.verdicts)
        self.callers = CallersChecks(self.trust)
        self.sessions = Sessions(clock)
        self.texts = Texts(self.beliefs, clock)
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
        self.sessions.served(served)
        if served.collapsed is not None:
            self._judged(job.request_id, by, plan, served.collapsed)
        elif job.wishes.kind is Kind.CHAT:
            reports = self.beliefs.reported(by.account_id) > 0.0
            if reports:
                self.texts.served(served, by)
            if not served.client_gone and (reports or job.collapse is not None):  # then a verdict may meet the truth
                self.checking.begin(served, by)
        if job.rounds is not None:
            self.callers.asked(job.request_id, job.rounds.request_ids)
        pinned = plan.decision.ranking.mode is Mode.PINNED  # then there was nothing to choose
        if not pinned and served.collapsed is None and ranked(served.sequencing, job.rounds):
            self.exploration.played(served)
            self.decisions.served(served, (arm_of(plan.order[0].name, plan.effort), by.arm))
        same = asked.like.same
        if job.rounds is not None:  # that its caller asks again is told, and no sign of anything beside
            same = " ".join((same, *job.rounds.request_ids))
        again = self._signs.note(served, by, same, self._clock.monotonic())
        if again is not None:
            self.verdicts.told(again, Signal(0.0, ASKED_AGAIN))

    def _judged(self, request_id: str, by: ServedBy, plan: Plan, collapsed: Collapsed) -> None:
        """Take in the verdicts on several answers. Which one was kept hangs on them."""
        for place, each in enumerate(collapsed.played):
            if each.verdict is not None:
                success = plan.success(each.route.name)
                if place:
                    self.verdicts.hint(replace(by, model=each.route.name), each.verdict, success)
                else:
                    self.verdicts.note(request_id, by, each.verdict, success, unselected=False)

    def reported(self, request_id: str, by: ServedBy, signal: Signal, name: str) -> Tally:
        """Take in how a request turned out, and what said so; the counts of its model and task type."""
        self.decisions.told(request_id, signal, name)
        self.verdicts.told(request_id, signal)
        self.texts.told(request_id, signal)
        self.beliefs.report(request_id, by, signal)
        self.exploration.told(request_id, signal.quality)
        return self.outcomes.report(request_id, by, signal.quality)

    def told(self) -> None:
        """Believe what answers showed since the last time; for between requests."""
        for by, signal in self._signs.told():
            self.beliefs.learn(by, signal)
