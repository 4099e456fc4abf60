"""How an arm's quality changes with the recency of a task: one slope for all arms, and each arm's own deviation.

Slopes are taken within the finest kinds of work, so that kinds of different age do not pass for a slope. How far arms
deviate is estimated as the trust in levels is (see shrinkage): no more than noise does, and all have the common slope.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from monkey_coder_server.domain.bandit.evidence import Evidence

ASSUMED_ROWS = 30.0
"""The common slope weighs as much as so many outcomes half a year from the mean, before arms could be compared."""
ASSUMED_SURENESS = 20.0
"""The assumption counts as much as a comparison of so many arms."""


@dataclass(frozen=True, slots=True)
class Slopes:
    """Quality gained in each half-year: of every arm that was seen, and of one that was not."""

    common: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)

    def of_arm(self, arm: str) -> float:
        """The arm's slope."""
        return self.own.get(arm, self.common)

    @classmethod
    def of(cls, evidence: Evidence, noise: float) -> "Slopes":
        """What the evidence says; no slopes where all tasks of a kind are equally recent."""
        squares: defaultdict[str, float] = defaultdict(float)
        products: defaultdict[str, float] = defaultdict(float)
        for arm, tally in evidence.finest():
            squares[arm] += tally.recency_squared - tally.recency * tally.recency / tally.rows
            products[arm] += tally.product - tally.recency * tally.quality / tally.rows
        timed = {arm: each for arm, each in squares.items() if each > 1e-6}
        if not timed:
            return cls()
        common = sum(products[arm] for arm in timed) / (sum(timed.values()) + ASSUMED_ROWS)
        typical = sum(timed.values()) / len(timed)
        spread = sum((products[arm] - common * each) ** 2 / each for arm, each in timed.items()) / noise
        freedom = len(timed) - 1
        variance = spread - freedom + ASSUMED_SURENESS * typical / ASSUMED_ROWS
        trust = max(0.0, variance / ((freedom + ASSUMED_SURENESS) * typical))
        return cls(
            common,
            {arm: (common + trust * products[arm]) / (1 + trust * each) for arm, each in timed.items()},
        )
