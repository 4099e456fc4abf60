"""An arm that may take part in a sequence or race: how likely it is right, what it costs, and what a check will say."""

from dataclasses import dataclass
from typing import NamedTuple

from monkey_coder_server.domain.bandit.difficulty import Levels
from monkey_coder_server.domain.bandit.verifier import Rates


class Given(NamedTuple):
    """A figure for a run whose answer is right, and for one whose answer is wrong."""

    right: float
    wrong: float


class Sight(NamedTuple):
    """What can be seen of a finished run: the verdict, and how probable this sight is of right and of wrong answers."""

    passed: bool
    of: Given


Seen = Sight | None
"""What was seen of a run that ended; None where it came to nothing and left no answer."""


@dataclass(frozen=True, slots=True)
class Runner:
    """An arm's prospects at a task.

    `chances`: of being right, at each level of difficulty. `cost`: expected, in USD. `bound`: the most a run can cost,
    in nano-dollars. `sights`: all that may be seen of a run. `times`: equally likely durations of runs with right and
    with wrong answers, in any one unit.
    """

    name: str
    chances: Levels
    cost: Given
    bound: int
    sights: tuple[Sight, ...]
    times: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


FAILING = 1
"""The place of a failing verdict among `verdict_sights`."""


def verdict_sights(rates: Rates) -> tuple[Sight, ...]:
    """All that may be seen where only a check's verdict is."""
    return (
        Sight(of=Given(rates.right, rates.wrong), passed=True),
        Sight(of=Given(1 - rates.right, 1 - rates.wrong), passed=False),
    )


def prospects(runner: Runner, weights: Levels) -> tuple[float, float]:
    """The probability of a right answer, and the expected cost in USD, both times the weights' sum."""
    right = sum(weight * chance for weight, chance in zip(weights, runner.chances, strict=True))
    return right, right * runner.cost.right + (sum(weights) - right) * runner.cost.wrong


def after(runner: Runner, seen: Sight, weights: Levels) -> Levels:
    """The weights of the levels times how probable the sight is at each of them."""
    right, wrong = seen.of
    return tuple(
        weight * (chance * right + (1 - chance) * wrong) for weight, chance in zip(weights, runner.chances, strict=True)
    )


def right_given(runner: Runner, seen: Sight, weights: Levels) -> float:
    """The probability that an answer so seen is right, times the weights' sum; they know of the sight."""
    right, wrong = seen.of
    return sum(
        weight * chance * right / likelihood
        for weight, chance in zip(weights, runner.chances, strict=True)
        if (likelihood := chance * right + (1 - chance) * wrong)
    )
