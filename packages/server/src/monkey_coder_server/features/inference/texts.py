"""What the text of requests tells of models, on the request path: read when asked, kept until the outcome, then learnt.

Nothing is kept of a text but its marks (`bandit.marks`), in memory and for the requests of accounts that report
outcomes; what is logged and stored are sums over outcomes.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from monkey_coder_server.domain.bandit.earned import Standing, period_of
from monkey_coder_server.domain.bandit.hearing import Foretold, Hearing
from monkey_coder_server.domain.bandit.mark_weights import MarkWeights
from monkey_coder_server.domain.bandit.marks import Marks, read_marks
from monkey_coder_server.domain.bandit.surprises import Sums
from monkey_coder_server.domain.catalog import Kind, Mode
from monkey_coder_server.domain.routing import Plan as Ranking
from monkey_coder_server.domain.routing_text import as_heard
from monkey_coder_server.domain.work import last_words
from monkey_coder_server.features.inference.beliefs import Beliefs, Signal
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.outcomes import ServedBy, arm_of
from monkey_coder_server.features.inference.plan import Decision, Plan
from monkey_coder_server.ports.clock import Clock

REMEMBERED = 8_192
"""Requests whose marks wait for an outcome; one takes about half a kilobyte."""


class _Waiting(NamedTuple):
    """A served request: what it was, and once an outcome was told how that was foretold and what it was."""

    account_id: str
    arm: str
    marks: Marks
    plain: float
    foretold: Foretold | None = None
    signal: Signal | None = None


class Texts:
    """Of one process."""

    def __init__(self, beliefs: Beliefs, clock: Clock) -> None:
        self._beliefs = beliefs
        self._clock = clock
        self.hearing = Hearing()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._settled_at = 0

    def standing(self, account_id: str) -> Standing:
        """Whether the text of an account's requests is heard, and by what evidence."""
        return self.hearing.standing(account_id, self._period())

    def heard(self, job: Job, decision: Decision, effort: str, tokens: int) -> Decision:
        """The decision as the text of the request moves it, of about so many tokens; the same where it is not heard."""
        ranking = decision.ranking
        if job.wishes.kind is not Kind.CHAT or ranking.mode is Mode.PINNED or len(ranking.candidates) == 1:
            return decision
        if not self.standing(job.principal.account_id).is_open:
            return decision
        told = self.shifts(job, ranking, effort, tokens)
        if not any(told.values()):
            return decision
        moved = as_heard(ranking, told)
        named = {candidate.name: candidate for candidate in decision.order}
        return replace(
            decision,
            ranking=moved,
            order=tuple([named[each.name] for each in moved.candidates]),
            sequences={},
            told=told,
        )

    def shifts(self, job: Job, ranking: Ranking, effort: str, tokens: int) -> Mapping[str, float]:
        """By how much the text moves what is believed of each candidate, heard or not."""
        names = [each.name for each in ranking.candidates]
        found = self.hearing.shifts([arm_of(name, effort) for name in names], _marks(job, tokens))
        return dict(zip(names, found, strict=True))

    def served(self, served: Served, by: ServedBy) -> None:
        """Keep the marks of a chat request until its outcome, which its account tells."""
        job, plan = served.job, served.plan
        plain = _believed(plan, by.model)
        if plain is None:
            return
        self._waiting[job.request_id] = _Waiting(by.account_id, by.arm, _marks(job, plan.input_expected), plain)
        if len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)

    def told(self, request_id: str, signal: Signal) -> None:
        """Learn how a request turned out. Of several signals the heaviest counts, of equals the latest."""
        kept = self._waiting.get(request_id)
        if kept is None:
            return
        foretold = kept.foretold
        if foretold is None:
            foretold = self.hearing.foretell(kept.account_id, self._period(), kept.arm, kept.marks, kept.plain)
        if kept.signal is not None:
            if kept.signal.weight > signal.weight:
                return
            self.hearing.learn(foretold, kept.signal.quality, -kept.signal.weight)
        self.hearing.learn(foretold, *signal)
        self._waiting[request_id] = kept._replace(foretold=foretold, signal=signal)

    def unsettled(self) -> Sequence[tuple[str, Sums]] | None:
        """The sums to weigh marks by anew; None when nothing came since. They change no more."""
        surprises = self.hearing.surprises
        if surprises.version == self._settled_at:
            return None
        self._settled_at = surprises.version
        surprises.forget(self._period() - 1)
        return surprises.copied()

    def settle(self, weights: MarkWeights) -> None:
        """Hear marks as far as this says."""
        self.hearing.settle(weights)

    def _period(self) -> int:
        return period_of(self._clock.now().toordinal())


def _marks(job: Job, tokens: int) -> Marks:
    return read_marks(last_words(job.request), tokens)


def _believed(plan: Plan, name: str) -> float | None:
    """What was believed of a candidate without the text."""
    states = (each.state for each in plan.decision.ranking.candidates)
    return next((state.learned.success for state in states if state.card.name == name), None)
