"""What the product knows of arms that may run in sequence or at once, after training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from statistics import fmean
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.difficulty import Difficulty, Tried, chances
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.runner import Given, Runner, verdict_sights
from monkey_coder_server.domain.bandit.shrinkage import Prior
from monkey_coder_server.domain.bandit.verifier import Rates, Verifier
from monkey_coder_server.evaluation.routing.data import Row

RIGHT = 0.5
"""An answer of at least this quality counts as right."""
POINTS = 5
"""Durations by which an arm's are told: the means of so many equal parts of its runs, from short to long."""
_ALIKE_RUNS = 4.0
"""Right and wrong runs of an arm are taken to cost the same, as if so many had shown it."""
_DEAREST = 2
"""The worst case of a run, in times the dearest one seen."""


class Check(NamedTuple):
    """A simulated check: the shares of right and of wrong answers that pass it."""

    right: float
    wrong: float

    def verdicts(self, row: Row, arms: Sequence[str], seed: int | str) -> dict[str, bool]:
        """What it says of every arm's answer."""
        random = Random(f"{seed}|{row.item_id}")
        return {
            arm: random.random() < (self.right if row.outcomes[arm].quality >= RIGHT else self.wrong) for arm in arms
        }


@dataclass(frozen=True, slots=True)
class _Runs:
    """An arm's training runs: mean costs in USD by their truth, the dearest, and typical numbers of calls."""

    cost: Given
    dearest: float
    times: tuple[tuple[float, ...], tuple[float, ...]]

    @classmethod
    def of(cls, rows: Sequence[Row], arm: str) -> "_Runs":
        right = [row for row in rows if row.outcomes[arm].quality >= RIGHT]
        wrong = [row for row in rows if row.outcomes[arm].quality < RIGHT]
        mean = _cost(rows, arm) / len(rows)
        return cls(
            Given(*((_cost(part, arm) + _ALIKE_RUNS * mean) / (len(part) + _ALIKE_RUNS) for part in (right, wrong))),
            max(row.outcomes[arm].cost for row in rows),
            (_typical(right or rows, arm), _typical(wrong or rows, arm)),
        )


class Knowledge:
    """Beliefs on arms by kind of work after rows that all these arms ran at, whatever checks them."""

    def __init__(self, rows: Sequence[Row], arms: Sequence[str]) -> None:
        self.arms = tuple(arms)
        self._rows = rows
        middle = sum(row.outcomes[arm].quality for row in rows for arm in arms) / (len(rows) * len(arms))
        self._posterior = Posterior({arm: Prior(middle) for arm in arms})
        for row in rows:
            for arm in arms:
                self._posterior.update(row.context, arm, row.outcomes[arm].quality)
        self._posterior.settle()
        self.slope = self._slope(rows)
        self._runs = {arm: _Runs.of(rows, arm) for arm in arms}

    def checked(self, check: Check) -> "Checked":
        """The same beside a check that was watched at the same rows."""
        verifier = Verifier()
        for row in self._rows:
            for arm, passed in check.verdicts(row, self.arms, "learnt").items():
                verifier.learn(row.context.nodes, passed=passed, right=row.outcomes[arm].quality >= RIGHT)
        return Checked(self, verifier)

    def runners(self, context: Context, rates: Rates) -> dict[str, Runner]:
        """Every arm's prospects at such a task behind a check of these rates, by name."""
        sights = verdict_sights(rates)
        found = {}
        for arm, belief in zip(self.arms, self._posterior.expect(context, self.arms), strict=True):
            runs = self._runs[arm]
            bound = round(runs.dearest * _DEAREST * 1e9)
            found[arm] = Runner(arm, chances(belief.mean, self.slope), runs.cost, bound, sights, runs.times)
        return found

    def _slope(self, rows: Sequence[Row]) -> float:
        difficulty = Difficulty()
        for row in rows:
            kind = Context(row.context.nodes[:2])
            beliefs = self._posterior.expect(kind, self.arms)
            difficulty.learn(
                Tried(belief.mean, row.outcomes[arm].quality) for arm, belief in zip(self.arms, beliefs, strict=True)
            )
        return difficulty.slope


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of arms, and of a check of their answers."""

    knowledge: Knowledge
    verifier: Verifier

    def rates(self, context: Context) -> Rates:
        """What the check is believed to be worth at such work."""
        return self.verifier.rates(context.nodes[:2])

    def runners(self, context: Context) -> dict[str, Runner]:
        """Every arm's prospects at such a task, by name."""
        return self.knowledge.runners(context, self.rates(context))


def _cost(rows: Sequence[Row], arm: str) -> float:
    return sum(row.outcomes[arm].cost for row in rows)


def _typical(rows: Sequence[Row], arm: str) -> tuple[float, ...]:
    calls = sorted(max(1.0, row.calls[arm]) for row in rows)
    points = min(POINTS, len(calls))
    ends = [len(calls) * point // points for point in range(points + 1)]
    return tuple(fmean(calls[start:end]) for start, end in pairwise(ends))
