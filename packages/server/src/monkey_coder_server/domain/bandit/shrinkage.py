"""How far a finer kind of work is believed over the coarser one, estimated from the evidence itself.

Between the kinds of a level an arm's quality varies by so much; one outcome varies by the noise. Their ratio is the
level's trust: 1 / trust outcomes at a kind weigh as much as what the coarser kind says. Where kinds differ no more
than noise does, trust is 0 and the level says nothing. What all arms share at a kind, its difficulty, is taken out
first: it changes no choice, and arms seen at different kinds are compared fairly.

Everything is a function of sums that add up, so merged evidence gives the same in any order.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import DEPTH, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.slopes import Slopes

ASSUMED_NOISE = 0.2
"""Variance of an outcome around what was expected, before any was seen: that of a task done 28 or 72 times in 100."""
ASSUMED_ROWS = 50.0
"""What a coarser kind says weighs so many outcomes at the finer one, before kinds could be compared."""
ASSUMED_SURENESS = 20.0
"""The assumptions count as much as so many comparisons of kinds."""
SHARED_ROWS = 20.0
"""The difficulty of a kind of work is believed as if so many outcomes had shown none."""


class Prior(NamedTuple):
    """What is believed of an arm before any outcome: its mean quality, as if seen in so many, above 0."""

    mean: float = 0.5
    rows: float = 1.0


UNKNOWN = Prior()
Priors = Mapping[str, Prior]


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """The noise of one outcome, the trust in each level below all work, the slopes, and each kind's difficulty."""

    noise: float = ASSUMED_NOISE
    trust: tuple[float, ...] = (1 / ASSUMED_ROWS,) * DEPTH
    slopes: Slopes = field(default_factory=Slopes)
    shared: Mapping[Node, float] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence, priors: Priors) -> "Shrinkage":
        """What the evidence says, level by level from coarse to fine."""
        noise = _noise(evidence)
        slopes = Slopes.of(evidence, noise)
        means: dict[Node, dict[str, float]] = {
            (): {
                arm: _root(tally, slopes.of_arm(arm), priors.get(arm, UNKNOWN))
                for arm, tally in evidence.at(()).items()
            }
        }
        trust: list[float] = []
        shared: dict[Node, float] = {}
        for depth in range(1, DEPTH + 1):
            level = _Level(evidence, depth, slopes, means)
            trust.append(level.trust(noise))
            shared |= level.shared
            means |= level.means(trust[-1])
        return cls(noise, tuple(trust), slopes, shared)


class _Level:
    """The kinds of one depth, held against what their parents say."""

    def __init__(self, evidence: Evidence, depth: int, slopes: Slopes, means: dict[Node, dict[str, float]]) -> None:
        self._sums = {
            node: {arm: (tally.rows, tally.quality - slopes.of_arm(arm) * tally.recency) for arm, tally in arms.items()}
            for node, arms in evidence.nodes.items()
            if len(node) == depth
        }
        self._parents = means
        self.shared: dict[Node, float] = {}
        for node, arms in self._sums.items():
            parent = means[node[:-1]]
            excess = sum(total - rows * parent[arm] for arm, (rows, total) in arms.items())
            self.shared[node] = excess / (SHARED_ROWS + sum(rows for rows, _ in arms.values()))

    def trust(self, noise: float) -> float:
        """Variance between kinds over that of one outcome, by the method of moments, held to the assumption."""
        spread = 0.0
        siblings: defaultdict[tuple[Node, str], list[float]] = defaultdict(list)
        for node, arms in self._sums.items():
            parent = self._parents[node[:-1]]
            for arm, (rows, total) in arms.items():
                spread += (total - rows * (parent[arm] + self.shared[node])) ** 2 / rows
                siblings[node[:-1], arm].append(rows)
        arms_seen = len({arm for _, arm in siblings})
        compared = sum(len(rows) - 1 for rows in siblings.values())
        freedom = compared * (arms_seen - 1) / max(1, arms_seen)
        if not freedom:
            return 1 / ASSUMED_ROWS
        typical = (
            sum(sum(rows) - sum(each * each for each in rows) / sum(rows) for rows in siblings.values()) / compared
        )
        seen = (spread / noise - freedom) / typical
        return max(0.0, (seen + ASSUMED_SURENESS / ASSUMED_ROWS) / (freedom + ASSUMED_SURENESS))

    def means(self, trust: float) -> dict[Node, dict[str, float]]:
        """Each arm's expected quality at each kind of this depth, at a recency of 0."""
        found: dict[Node, dict[str, float]] = {}
        for node, arms in self._sums.items():
            expected = {arm: mean + self.shared[node] for arm, mean in self._parents[node[:-1]].items()}
            for arm, (rows, total) in arms.items():
                expected[arm] = (expected[arm] + trust * total) / (1 + trust * rows)
            found[node] = expected
        return found


def _root(tally: Tally, slope: float, prior: Prior) -> float:
    return (prior.rows * prior.mean + tally.quality - slope * tally.recency) / (prior.rows + tally.rows)


def _noise(evidence: Evidence) -> float:
    """Variance of outcomes around the mean of their arm at their finest kind."""
    squares, freedom = ASSUMED_NOISE * ASSUMED_SURENESS, ASSUMED_SURENESS
    for _, tally in evidence.finest():
        if tally.rows > 1:
            squares += tally.quality_squared - tally.quality * tally.quality / tally.rows
            freedom += tally.rows - 1
    return squares / freedom
