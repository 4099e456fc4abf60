"""What each mark of a prompt says of the arms' quality: for all of them, and for each apart as far as it differs.

A mark's weight is the slope of surprise over whether the mark is there, taken alone, so that it is a function of sums.
Among hundreds of marks some always went with success by luck: a slope counts only as far as it is steeper than luck
makes it, and next to nothing below two and a half standard errors. What marks say together is scaled by how much of
what they foretold came true.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add

from monkey_coder_server.domain.bandit.marks import EVERY, MARKS, Marks
from monkey_coder_server.domain.bandit.surprises import TRIAL, Sums

NOISE = 0.2
"""Variance of an outcome around what was expected, as of tasks done 28 or 72 times in 100."""
CLEAR = 6.0
"""The squared slope over its variance up to which it counts as luck: one in seventy is above by luck."""
ASSUMED_ROWS = 5.0
"""No effect counts as so many outcomes, half of them with the mark times four."""
ASSUMED_TRIALS = 1.0
"""Half of what marks foretell is believed until it was tried; that counts as ten surprises of a third foretold."""

Slopes = list[float]
"""For each mark, and at `EVERY` what is added."""


@dataclass(frozen=True, slots=True)
class MarkWeights:
    """The slopes of each arm that was seen, those of others, and the scale of both."""

    own: Mapping[str, Slopes] = field(default_factory=dict)
    shared: Slopes = field(default_factory=lambda: [0.0] * MARKS)
    scale: float = 0.0
    telling: frozenset[int] = frozenset()
    """The marks at which any arm has a slope: few of them, so that twenty arms are foretold in microseconds."""

    @classmethod
    def of(cls, parts: Iterable[tuple[str, Sums]]) -> "MarkWeights":
        """What the sums of the arms say; those of an arm may come in parts."""
        arms: dict[str, Sums] = {}
        total = Sums.none()
        for arm, part in parts:
            arms[arm] = _together(arms.get(arm), part)
            total = _together(total, part)
        shared = _slopes(total, [0.0] * MARKS)
        own = {arm: _centred(sums, [*map(add, shared, _slopes(sums, shared))]) for arm, sums in arms.items()}
        scale = (ASSUMED_TRIALS / 2 + total.surprises[TRIAL]) / (ASSUMED_TRIALS + max(0.0, total.weights[TRIAL]))
        others = _centred(total, shared)
        telling = frozenset(mark for slopes in (others, *own.values()) for mark, slope in enumerate(slopes) if slope)
        return cls(own, others, min(1.0, max(0.0, scale)), telling)

    def unscaled(self, arm: str, marks: Marks) -> float:
        """By how much the arm's quality differs at a prompt with these marks, if all they say were true."""
        slopes, telling = self.own.get(arm, self.shared), self.telling
        return sum([slopes[mark] for mark in marks if mark in telling])

    def shifts(self, arms: Iterable[str], marks: Marks) -> list[float]:
        """By how much each arm's quality differs at a prompt with these marks, in the order given."""
        own, shared, scale = self.own.get, self.shared, self.scale
        heard = [mark for mark in marks if mark in self.telling]
        return [scale * sum(map(own(arm, shared).__getitem__, heard)) for arm in arms]


def _slopes(sums: Sums, told: Slopes) -> Slopes:
    """What marks say beyond what was told already."""
    weights, surprises = sums
    rows = weights[EVERY]
    if rows <= 0.0:
        return [0.0] * MARKS
    mean = surprises[EVERY] / rows
    slopes = [0.0] * MARKS
    for mark in range(EVERY):
        seen = weights[mark]
        varied = seen * (1.0 - seen / rows)
        if varied <= 0.0:
            continue
        excess = surprises[mark] - seen * mean - told[mark] * varied
        clear = 1.0 - CLEAR * NOISE * varied / (excess * excess) if excess else 0.0
        if clear > 0.0:
            slopes[mark] = clear * excess / (varied + ASSUMED_ROWS)
    return slopes


def _together(one: Sums | None, other: Sums) -> Sums:
    if one is None:
        return other
    return Sums(array("d", map(add, one.weights, other.weights)), array("d", map(add, one.surprises, other.surprises)))


def _centred(sums: Sums, slopes: Slopes) -> Slopes:
    """The slopes, with what makes their mean over the prompts that were seen 0 at the mark of every prompt."""
    rows = sums.weights[EVERY]
    middle = sum(slope * seen for slope, seen in zip(slopes, sums.weights, strict=False)) / rows if rows > 0.0 else 0.0
    return [*slopes[:EVERY], -middle]
