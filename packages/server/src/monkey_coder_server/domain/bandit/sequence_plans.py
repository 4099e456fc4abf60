"""Which arms to run one after the other, or at once, for a kind of work, so that no quality is lost.

A plan replaces the strongest single arm only if its expected quality is better by a margin: what is foreseen of a plan
that was chosen as the best of many comes out a little worse. Among those that are, the cheapest is taken. Where the
check is not useful, or no plan is good enough, the plan is the strongest arm alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from monkey_coder_server.domain.bandit.cascade import STEPS, Cascade, Foreseen
from monkey_coder_server.domain.bandit.difficulty import LEVELS
from monkey_coder_server.domain.bandit.pace import Pace, pace
from monkey_coder_server.domain.bandit.runner import Runner, prospects
from monkey_coder_server.domain.bandit.verifier import Rates

MARGIN = 0.02
"""Foreseen quality a plan must have beyond the strongest arm's: it came out 0.010 to 0.015 worse on other tasks."""
RACE_MARGIN = 0.03
"""The same for races, which came out 0.023 worse, give or take 0.012: arms of one house fail at the same tasks."""
COST_MARGIN = 0.25
"""Share by which a plan of more quality has to be foreseen cheaper than the strongest arm."""
WORTHS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0, 16.0, 20.0)
"""What a right answer may be worth, in times what the strongest arm costs."""
RACERS = 3
QUICKER = 0.8
"""A race is run for speed: its expected duration is at most this share of the strongest arm's."""
_EVEN = (1 / LEVELS,) * LEVELS
_LEAST_GAIN = 1e-4
"""An arm that adds less to a cascade's value, in right answers, is not worth its place."""


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """The arms of a kind of work's cascades, what a right answer is worth in USD there, and what is foreseen."""

    arms: tuple[str, ...]
    worth: float
    foreseen: Foreseen


@dataclass(frozen=True, slots=True)
class RacePlan:
    """The arms of a kind of work's races, and what is foreseen."""

    arms: tuple[str, ...]
    foreseen: Pace


def thriftiest(runners: Sequence[Runner], strongest: Runner, rates: Rates, *, steps: int = STEPS) -> CascadePlan:
    """The cascade that is foreseen to cost least, and not to lose quality against the strongest arm.

    Of at most so many `steps`.
    """
    alone = _alone(strongest)
    least = alone.foreseen.quality + MARGIN
    plans = [plan for plan in cascades(tuple(runners), strongest, rates, steps) if plan.foreseen.quality >= least]
    return min((alone, *plans), key=lambda plan: plan.foreseen.cost)


def finest(runners: Sequence[Runner], strongest: Runner, rates: Rates, *, steps: int = STEPS) -> CascadePlan:
    """The cascade of most quality that is foreseen to cost less than the strongest arm does, with a margin.

    Of at most so many `steps`.
    """
    alone = _alone(strongest)
    most = alone.foreseen.cost * (1 - COST_MARGIN)
    least = alone.foreseen.quality + MARGIN
    plans = [
        plan
        for plan in cascades(tuple(runners), strongest, rates, steps)
        if plan.foreseen.quality >= least and plan.foreseen.cost <= most
    ]
    return max((alone, *plans), key=lambda plan: plan.foreseen.quality)


def quickest(runners: Sequence[Runner], strongest: Runner, rates: Rates, *, racers: int = RACERS) -> RacePlan:
    """The race that is foreseen to cost least, to be quicker than the strongest arm, and not to lose quality.

    Of at most so many `racers`.
    """
    alone = pace((strongest,))
    best = RacePlan((strongest.name,), alone)
    if not rates.useful:
        return best
    pool = _unbeaten(runners)
    for several in (chosen for size in range(2, racers + 1) for chosen in combinations(pool, size)):
        foreseen = pace(several)
        good = foreseen.quality >= alone.quality + RACE_MARGIN and foreseen.time <= QUICKER * alone.time
        if good and foreseen.cost < best.foreseen.cost:
            best = RacePlan(tuple(runner.name for runner in several), foreseen)
    return best


def _unbeaten(runners: Sequence[Runner]) -> list[Runner]:
    """Those that no other beats in quality, cost and duration at once."""
    alone = [pace((runner,)) for runner in runners]
    return [
        runner
        for runner, its in zip(runners, alone, strict=True)
        if not any(other.quality > its.quality and other.cost < its.cost and other.time < its.time for other in alone)
    ]


@lru_cache(maxsize=16)
def cascades(runners: tuple[Runner, ...], strongest: Runner, rates: Rates, steps: int) -> tuple[CascadePlan, ...]:
    """One for every worth of a right answer, whatever it keeps of the strongest arm's quality; none by a useless check.

    They are kept, since several ways to choose among them are asked for after each other.
    """
    if not rates.useful:
        return ()
    unit = prospects(strongest, _EVEN)[1]
    return tuple(_cascade(runners, times * unit, steps) for times in WORTHS)


def _cascade(runners: Sequence[Runner], worth: float, steps: int) -> CascadePlan:
    """With the arms that add most to it, one by one."""
    hold = sum(runner.bound for runner in runners)
    chosen: tuple[Runner, ...] = ()
    foreseen, value = Foreseen(0.0, 0.0), float("-inf")
    while len(chosen) < steps:
        grown = [(*chosen, runner) for runner in runners if runner not in chosen]
        outlooks = [Cascade(several, worth=worth, hold=hold).foresee() for several in grown]
        values = [worth * outlook.quality - outlook.cost for outlook in outlooks]
        place = max(range(len(grown)), key=values.__getitem__, default=None)
        if place is None or values[place] < value + _LEAST_GAIN * worth:
            break
        chosen, foreseen, value = grown[place], outlooks[place], values[place]
    return CascadePlan(tuple(runner.name for runner in chosen), worth, foreseen)


def _alone(strongest: Runner) -> CascadePlan:
    right, cost = prospects(strongest, _EVEN)
    return CascadePlan((strongest.name,), cost, Foreseen(right, cost))
