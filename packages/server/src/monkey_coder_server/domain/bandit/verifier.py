"""How far a check of an answer can be believed: how often it passes right answers, and how often wrong ones.

Both rates are Beta beliefs for each kind of work, learnt where the truth came out later: accepted, reverted, tested by
others. An answer whose truth never came out is not counted, as right or as wrong. A finer kind is believed to be like
the coarser one until it was seen itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Node

USEFUL_GAIN = 0.5
"""A check whose two rates differ less saves nothing over the best single arm (0.4 did not, 0.6 did)."""
CONFIDENCE = 0.9
"""How sure that difference has to be."""
COARSER_VERDICTS = 20.0
"""What the coarser kind says of a rate counts as so many verdicts at the finer one."""
_SHARES = 1_000
"""Weights are counted in thousandths, as integers, so that beliefs merged in any order are the same."""


class Rates(NamedTuple):
    """Shares of right and of wrong answers that pass, and the standard deviation of their difference."""

    right: float
    wrong: float
    spread: float

    @property
    def confidence(self) -> float:
        """The probability that the rates differ enough for the check to be worth acting on."""
        gain = self.right - self.wrong - USEFUL_GAIN
        return NormalDist(0.0, self.spread).cdf(gain) if self.spread else float(gain > 0)

    @property
    def useful(self) -> bool:
        """Whether sequences may lean on the check; if not, a request is served by a single arm."""
        return self.confidence >= CONFIDENCE


@dataclass(slots=True)
class Verdicts:
    """What was seen at one kind of work, in thousandths of a verdict: right and wrong answers, passed and failed."""

    right_passed: int = 0
    right_failed: int = 0
    wrong_passed: int = 0
    wrong_failed: int = 0

    def merge(self, other: "Verdicts") -> None:
        """Count all that another counted."""
        self.right_passed += other.right_passed
        self.right_failed += other.right_failed
        self.wrong_passed += other.wrong_passed
        self.wrong_failed += other.wrong_failed


@dataclass(slots=True)
class Verifier:
    """One check, such as a repository's tests, and its verdicts that could be held against the truth."""

    seen: dict[Node, Verdicts] = field(default_factory=dict)

    def learn(self, nodes: Sequence[Node], *, passed: bool, right: bool, weight: float = 1.0) -> None:
        """Count a verdict at every kind the task belongs to; where the truth is only a hint it weighs less than 1."""
        shares = round(weight * _SHARES)
        for node in nodes:
            verdicts = self.seen.setdefault(node, Verdicts())
            if right and passed:
                verdicts.right_passed += shares
            elif right:
                verdicts.right_failed += shares
            elif passed:
                verdicts.wrong_passed += shares
            else:
                verdicts.wrong_failed += shares

    def merge(self, other: "Verifier") -> None:
        """Learn what another process saw, in any order."""
        for node, verdicts in other.seen.items():
            self.seen.setdefault(node, Verdicts()).merge(verdicts)

    def rates(self, nodes: Sequence[Node]) -> Rates:
        """What is believed at the finest of the kinds, given coarsest first. An unseen check is held to say nothing."""
        return believed(self.seen.get(node) for node in nodes)


class Stated(NamedTuple):
    """What is believed of a check before it was seen: verdicts on right and on wrong answers, passed and failed."""

    right_passed: float = 1.0
    right_failed: float = 1.0
    wrong_passed: float = 1.0
    wrong_failed: float = 1.0


UNKNOWN = Stated()
"""Of a check of which nothing is known."""


def believed(seen: Iterable[Verdicts | None], stated: Stated = UNKNOWN) -> Rates:
    """The rates at the finest kind of work of which something was seen, given what was at each, coarsest first."""
    right, wrong = _Beta(*stated[:2]), _Beta(*stated[2:])
    for depth, verdicts in enumerate(seen):
        if verdicts is None:
            break
        if depth:
            right, wrong = right.narrowed(), wrong.narrowed()
        right = right.after(verdicts.right_passed, verdicts.right_failed)
        wrong = wrong.after(verdicts.wrong_passed, verdicts.wrong_failed)
    return Rates(right.mean, wrong.mean, (right.variance + wrong.variance) ** 0.5)


class _Beta(NamedTuple):
    passed: float
    failed: float

    @property
    def mean(self) -> float:
        return self.passed / (self.passed + self.failed)

    @property
    def variance(self) -> float:
        return self.mean * (1 - self.mean) / (self.passed + self.failed + 1)

    def narrowed(self) -> "_Beta":
        """The prior of a finer kind."""
        verdicts = min(COARSER_VERDICTS, self.passed + self.failed)
        return _Beta(self.mean * verdicts, (1 - self.mean) * verdicts)

    def after(self, passed: int, failed: int) -> "_Beta":
        return _Beta(self.passed + passed / _SHARES, self.failed + failed / _SHARES)
