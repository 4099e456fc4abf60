"""How much a task's difficulty is shared: what one arm's failure says of the others.

A task has a difficulty nobody sees, one of nine equally likely levels. An arm is right at a level with a probability
that falls with the level as the logistic function does, steeper the more of success is the task's and not chance, and
that is over all levels what is expected of the arm. The slope is one number for a kind of work, so that what is
believed of single arms is enough to foresee any sequence of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, log
from statistics import NormalDist
from typing import NamedTuple

LEVELS = 9
_HARDNESS = tuple(NormalDist().inv_cdf((level + 0.5) / LEVELS) for level in range(LEVELS))
SLOPES = tuple(step / 2 for step in range(11))
"""0: failures are independent; 5: nearly every arm fails at the same tasks."""
_EXPECTED_SLOPE = 2.0
"""Believed before anything was seen, with a standard deviation of 1."""
_SURE = 0.005
"""Nothing is believed to be surer than this to succeed or to fail."""
_HALVINGS = 40

Levels = tuple[float, ...]
"""A probability for each level of difficulty, the easiest first."""


class Tried(NamedTuple):
    """An arm at a task: the quality that was expected of it and the one that came out, 0 to 1."""

    expected: float
    quality: float


@dataclass(slots=True)
class Difficulty:
    """The logarithm of how well each slope explains the outcomes seen, which adds up over tasks and processes."""

    support: list[float] = field(default_factory=lambda: [0.0] * len(SLOPES))

    def learn(self, task: Iterable[Tried]) -> None:
        """Count what several arms did at one task; what a single arm did says nothing of slopes."""
        tried = list(task)
        for place, slope in enumerate(SLOPES):
            levels = [0.0] * LEVELS
            for expected, quality in tried:
                for level, (right, wrong) in enumerate(_log_chances(_held(expected), slope)):
                    levels[level] += quality * right + (1 - quality) * wrong
            most = max(levels)
            self.support[place] += most + log(sum(exp(each - most) for each in levels) / LEVELS)

    def merge(self, other: "Difficulty") -> None:
        """Learn what another process saw."""
        self.support = [ours + theirs for ours, theirs in zip(self.support, other.support, strict=True)]

    @property
    def slope(self) -> float:
        """The likeliest slope."""
        believed = [
            support - (slope - _EXPECTED_SLOPE) ** 2 / 2 for slope, support in zip(SLOPES, self.support, strict=True)
        ]
        return SLOPES[believed.index(max(believed))]


def chances(expected: float, slope: float) -> Levels:
    """The probability that an arm is right at each level, when this quality is expected of it over all of them.

    Expectations are taken to three decimals and held between 0.005 and 0.995.
    """
    return _chances(_held(expected), slope)


def _held(expected: float) -> float:
    return round(min(max(expected, _SURE), 1 - _SURE), 3)


@lru_cache(maxsize=2_048)
def _log_chances(expected: float, slope: float) -> tuple[tuple[float, float], ...]:
    """The logarithms of the probabilities of being right and of being wrong at each level."""
    return tuple((log(chance), log(1 - chance)) for chance in _chances(expected, slope))


@lru_cache(maxsize=8_192)
def _chances(expected: float, slope: float) -> Levels:
    low, high = -30.0, 30.0
    for _ in range(_HALVINGS):
        ability = (low + high) / 2
        if sum(_at(ability, slope)) < expected * LEVELS:
            low = ability
        else:
            high = ability
    return _at(high, slope)


def _at(ability: float, slope: float) -> Levels:
    return tuple(1 / (1 + exp(slope * hardness - ability)) for hardness in _HARDNESS)
