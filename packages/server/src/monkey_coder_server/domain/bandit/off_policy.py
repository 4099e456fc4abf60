"""What another rule would have come to on decisions that were logged with the probability of what was played.

Three estimates of a mean outcome: weighted by inverse propensity, the same divided by the sum of weights, and doubly
robust: what was expected of the other rule's arms, corrected where the played arm turned out otherwise. Each has a
standard error from the spread of its own terms, normal by the number of rows; there must be enough of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

LEAST_EFFECTIVE = 30.0
"""Fewer rows' worth of weight bear no interval."""
LEAST_SUPPORT = 0.5
"""Where fewer decisions could have fallen as the other rule's, they are not those it is asked about."""
NINETY_PERCENT = 1.645
"""Standard errors to either side of a mean that hold it nine times of ten."""


class Trial(NamedTuple):
    """A logged decision under another rule, with the outcome that was seen.

    `target` is the probability with which the other rule plays the arm that was played, `propensity` that with which
    it was played, above 0. `expected` is what was expected of that arm, `expected_of_target` of the arms the other rule
    plays. `supported`: whether each of those could have been played.
    """

    propensity: float
    target: float
    outcome: float
    expected: float
    expected_of_target: float
    supported: bool = True


class Estimate(NamedTuple):
    """A mean outcome with its standard error."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """The lower end of the interval that holds the truth nine times of ten."""
        return self.value - NINETY_PERCENT * self.error

    @property
    def high(self) -> float:
        """The upper end."""
        return self.value + NINETY_PERCENT * self.error


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the log says of another rule, on the decisions that support it.

    `support` is their share, `effective` how many rows of equal weight would say as much.
    """

    rows: int
    support: float
    effective: float
    inverse_propensity: Estimate
    self_normalised: Estimate
    doubly_robust: Estimate


class Unsupported(NamedTuple):
    """The log cannot say; `reason` is one sentence."""

    rows: int
    support: float
    effective: float
    reason: str


def evaluate(trials: Sequence[Trial]) -> Evaluation | Unsupported:
    """What the other rule would have come to on average, or why the log cannot say."""
    if not trials:
        return Unsupported(0, 0.0, 0.0, "No decision with this outcome is logged.")
    kept = [trial for trial in trials if trial.supported]
    support = len(kept) / len(trials)
    weights = [trial.target / trial.propensity for trial in kept]
    squares = sum(weight * weight for weight in weights)
    effective = sum(weights) ** 2 / squares if squares else 0.0
    if support < LEAST_SUPPORT:
        reason = f"Only {support:.0%} of the decisions could have fallen as this rule's: its arms were not tried."
        return Unsupported(len(trials), support, effective, reason)
    if effective < LEAST_EFFECTIVE:
        reason = f"The outcomes weigh as much as {effective:.0f} of this rule's; {LEAST_EFFECTIVE:.0f} are needed."
        return Unsupported(len(trials), support, effective, reason)
    weighted = [weight * trial.outcome for weight, trial in zip(weights, kept, strict=True)]
    corrected = [
        trial.expected_of_target + weight * (trial.outcome - trial.expected)
        for weight, trial in zip(weights, kept, strict=True)
    ]
    return Evaluation(len(trials), support, effective, _mean(weighted), _ratio(weights, kept), _mean(corrected))


def _mean(terms: Sequence[float]) -> Estimate:
    count = len(terms)
    mean = sum(terms) / count
    return Estimate(mean, sqrt(sum((term - mean) ** 2 for term in terms) / (count - 1) / count))


def _ratio(weights: Sequence[float], trials: Sequence[Trial]) -> Estimate:
    """A weighted mean; its error by the first-order expansion of the ratio."""
    total = sum(weights)
    pairs = list(zip(weights, trials, strict=True))
    value = sum(weight * trial.outcome for weight, trial in pairs) / total
    return Estimate(value, sqrt(sum((weight * (trial.outcome - value)) ** 2 for weight, trial in pairs)) / total)
