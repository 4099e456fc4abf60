"""The product's learner on a stream of tasks: it chooses an arm, and hears sooner or later what that arm did."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import sqrt
from typing import NamedTuple

from monkey_coder_server.domain.bandit.choice import DRAWN_SPREAD, PROVEN_ROWS, drawn, limited
from monkey_coder_server.domain.bandit.conservatism import Conservatism
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.costs import Costs
from monkey_coder_server.domain.bandit.drift import Drift, give_up
from monkey_coder_server.domain.bandit.posterior import Belief, Posterior
from monkey_coder_server.domain.bandit.quality import Quality
from monkey_coder_server.evaluation.routing.data import Outcome

SETTLED = 100
"""Hyper-parameters are estimated anew after so many outcomes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is wanted: quality less `price` times cost, in shares of the strong arm's mean cost in USD."""

    price: float
    strong_cost: float

    def utility(self, outcome: Outcome) -> float:
        """Of what came of a task."""
        return outcome.quality - self.price * outcome.cost / self.strong_cost

    def belief(self, quality: Belief, cost: Belief) -> Belief:
        """What is believed of an arm's utility, as it is drawn from."""
        rate = self.price / self.strong_cost
        spread = sqrt(quality.spread * quality.spread + rate * rate * cost.spread * cost.spread)
        return Belief(quality.mean - rate * cost.mean, DRAWN_SPREAD * spread)


class Play(NamedTuple):
    """An arm that is played at a task, the quality expected of it, and how the guard counts it; None as baseline."""

    context: Context
    arm: str
    expected: float
    least: float | None


@dataclass(slots=True)
class Learner:
    """Beliefs on quality and cost, and what acts on them.

    That is the watch for drift and, where there is one, the guard beside a baseline arm.
    """

    terms: Terms
    quality: Quality
    costs: Costs
    baseline: str
    guard: Conservatism | None = None
    drifts: dict[str, Drift] = field(default_factory=dict)
    heard: int = 0

    def choose(self, context: Context, arms: Sequence[str], uniform: float) -> Play:
        """Draw one of the arms, by a uniform number from 0 up to but not 1; the baseline where the guard says so."""
        qualities = self.quality.expect(context, arms)
        costs = self.costs.expect(context, arms)
        utilities = [self.terms.belief(*each) for each in zip(qualities, costs, strict=True)]
        seen = self.quality.posterior.evidence.at(())
        proven = [arm in seen and seen[arm].rows >= PROVEN_ROWS for arm in arms]
        place = drawn(limited(utilities, proven), uniform)
        least = self.terms.belief(Belief(0.0, 0.0), costs[place]).mean
        if self.guard is not None and arms[place] != self.baseline:
            kept = arms.index(self.baseline)
            if self.guard.allows(least, utilities[kept].mean):
                self.guard.start(least, utilities[kept].mean)
            else:
                place = kept
        arm = arms[place]
        return Play(context, arm, qualities[place].mean, None if arm == self.baseline else least)

    def hear(self, play: Play, outcome: Outcome) -> None:
        """Learn what came of a task that was played."""
        context, arm, expected, least = play
        self.quality.update(context, arm, outcome.quality)
        self.costs.learn(context, arm, outcome.cost)
        if self.guard is not None:
            utility = self.terms.utility(outcome)
            if least is None:
                self.guard.keep_to_baseline(utility)
            else:
                self.guard.learn(least, utility)
        drift = self.drifts.setdefault(arm, Drift())
        if drift.learn(expected, outcome.quality):
            give_up(self.quality.posterior.evidence, arm, drift.left)
            self.drifts[arm] = Drift()
        self.heard += 1
        if self.heard % SETTLED == 0:
            self.quality.settle()


def copied(quality: Quality) -> Quality:
    """Beliefs that may learn on their own."""
    posterior = quality.posterior
    evidence = deepcopy(posterior.evidence)
    return Quality(Posterior(posterior.priors, evidence, posterior.shrinkage), quality.telling, quality.gate)
