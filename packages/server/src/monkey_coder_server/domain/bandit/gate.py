"""Whether a refinement of expectations has earned its say: while its gain in utility is above one standard error.

Gains are measured on tasks that came after the refinement was fitted. Between two arms that follow each other on the
hull of cost and quality, a choice by refined expectations wins, averaged over all prices of quality, in proportion to
how far the refinement foretold by what the dearer arm's true gain differs from the plain expectation. That is what is
summed here. Errors of prediction are a poor measure: they shrink with what all arms share, and no choice gets better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

FEWEST = 30
"""Fewer tasks prove nothing."""
STANDARD_ERRORS = 1.0


class Step(NamedTuple):
    """Two neighbours on the hull by their places among the arms, and the share of its range of cost between them."""

    cheaper: int
    dearer: int
    share: float


@dataclass(slots=True)
class Gate:
    """Sums over tasks of what came true of a refinement and how much it claimed; they add up in any order."""

    tasks: float = 0.0
    true: float = 0.0
    claimed: float = 0.0
    true_squared: float = 0.0
    claimed_squared: float = 0.0
    product: float = 0.0

    def add(self, true: float, claimed: float) -> None:
        """Count what `held` says of one task."""
        self.tasks += 1
        self.true += true
        self.claimed += claimed
        self.true_squared += true * true
        self.claimed_squared += claimed * claimed
        self.product += true * claimed

    def merge(self, other: "Gate") -> None:
        """Count what another process counted."""
        self.tasks += other.tasks
        self.true += other.true
        self.claimed += other.claimed
        self.true_squared += other.true_squared
        self.claimed_squared += other.claimed_squared
        self.product += other.product

    @property
    def is_open(self) -> bool:
        """Whether the gain is above its standard error."""
        if self.tasks < FEWEST or not self.claimed:
            return False
        share = self.true / self.claimed
        squares = self.true_squared - 2 * share * self.product + share * share * self.claimed_squared
        return self.true > STANDARD_ERRORS * sqrt(max(0.0, squares))


def hull(qualities: Sequence[float], costs: Sequence[float]) -> list[Step]:
    """The steps of the hull from the cheapest arm to the best; none where the best arm is the cheapest."""
    corners: list[int] = []
    for arm in sorted(range(len(costs)), key=lambda arm: (costs[arm], -qualities[arm])):
        if corners and qualities[arm] <= qualities[corners[-1]]:
            continue
        while len(corners) > 1 and _is_below(qualities, costs, corners[-2], corners[-1], arm):
            corners.pop()
        corners.append(arm)
    dearest = costs[corners[-1]] - costs[corners[0]]
    return [Step(cheaper, dearer, (costs[dearer] - costs[cheaper]) / dearest) for cheaper, dearer in pairwise(corners)]


def held(
    steps: Sequence[Step], true: Sequence[float], plain: Sequence[float], refined: Sequence[float]
) -> tuple[float, float]:
    """What came true at a task whose qualities are known, and what would have if the refinement were all true."""
    came, claimed = 0.0, 0.0
    for cheaper, dearer, share in steps:
        expected = plain[dearer] - plain[cheaper]
        moved = refined[dearer] - refined[cheaper] - expected
        came += share * moved * (true[dearer] - true[cheaper] - expected)
        claimed += share * moved * moved
    return came, claimed


def _is_below(qualities: Sequence[float], costs: Sequence[float], left: int, middle: int, right: int) -> bool:
    rise = (qualities[right] - qualities[left]) * (costs[middle] - costs[left])
    return (qualities[middle] - qualities[left]) * (costs[right] - costs[left]) <= rise
