"""What is believed of each arm's quality at a task: normal beliefs, nested from all work down to the finest kind."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.evidence import Evidence
from monkey_coder_server.domain.bandit.shrinkage import UNKNOWN, Priors, Shrinkage


class Belief(NamedTuple):
    """An arm's expected quality, and the standard deviation of that expectation: what one scalar draw needs."""

    mean: float
    spread: float


@dataclass(slots=True)
class Posterior:
    """Evidence, priors of arms that have one, and how far finer kinds are believed.

    Outcomes count at once; `settle` estimates anew how far they are believed, and is for between requests.
    """

    priors: Priors = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    shrinkage: Shrinkage = field(default_factory=Shrinkage)

    def update(self, context: Context, arm: str, quality: float, weight: float = 1.0) -> None:
        """Learn an outcome, of quality 0 to 1; a faint signal weighs less than 1."""
        self.evidence.add(context, arm, quality, weight)

    def merge(self, other: Evidence) -> None:
        """Learn what another process saw, in any order."""
        self.evidence.merge(other)

    def settle(self) -> None:
        """Estimate noise, trust, slopes and difficulties from all that was seen."""
        self.shrinkage = Shrinkage.of(self.evidence, self.priors)

    def expect(self, context: Context, arms: Iterable[str]) -> list[Belief]:
        """What is believed of each arm at the task, in the order given."""
        shrinkage, evidence = self.shrinkage, self.evidence
        recency, noise = context.recency, shrinkage.noise
        root, *finer = context.nodes
        levels = [
            (evidence.at(node).get, trust, shrinkage.shared.get(node, 0.0))
            for node, trust in zip(finer, shrinkage.trust, strict=False)
        ]
        everywhere, slopes = evidence.at(root).get, shrinkage.slopes
        own, common, priors = slopes.own.get, slopes.common, self.priors.get
        new = tuple.__new__  # a `Belief` in half the time its class takes
        beliefs = []
        for arm in arms:
            slope = own(arm, common)
            mean, rows = priors(arm, UNKNOWN)
            mean *= rows
            if tally := everywhere(arm):
                rows += tally.rows
                mean += tally.quality - slope * tally.recency if slope else tally.quality
            mean /= rows
            variance = 1.0 / rows
            for seen, trust, shared in levels:
                mean += shared
                if not trust:
                    continue
                if tally := seen(arm):
                    kept = 1.0 / (1.0 + trust * tally.rows)
                    gained = tally.quality - slope * tally.recency if slope else tally.quality
                    mean = (mean + trust * gained) * kept
                    variance = (variance * kept + trust) * kept
                else:
                    variance += trust
            beliefs.append(new(Belief, (mean + slope * recency, sqrt(noise * variance))))
        return beliefs
