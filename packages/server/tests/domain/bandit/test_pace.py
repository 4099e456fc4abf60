"""What a race is foreseen to bring is what comes of every course it may take."""

from itertools import product

import pytest

from monkey_coder_server.domain.bandit.difficulty import LEVELS
from monkey_coder_server.domain.bandit.pace import Pace, pace
from monkey_coder_server.domain.bandit.runner import Given, Runner
from packages.server.tests.domain.bandit.runners import runner

QUICK = runner("quick", 0.5, 0.1, times=((4.0, 10.0), (6.0, 12.0, 30.0)))
SLOW = runner("slow", 0.7, 0.5, times=((10.0, 20.0), (25.0,)))
OTHER = Runner("other", QUICK.chances, Given(0.2, 0.4), 1, QUICK.sights, ((10.0, 11.0), (10.0, 40.0)))


def _played(runners: list[Runner]) -> Pace:
    """Every level, truth, duration and verdict of every arm, weighed."""
    quality = cost = time = 0.0
    unpassed = [0.0] * len(runners)
    ends = [
        [
            (truth, lasting, passed)
            for truth in (True, False)
            for lasting in arm.times[0 if truth else 1]
            for passed in (True, False)
        ]
        for arm in runners
    ]
    for level in range(LEVELS):
        for course in product(*ends):
            weight = 1 / LEVELS
            for arm, (truth, _, passed) in zip(runners, course, strict=True):
                chance, passing = arm.chances[level], arm.sights[0].of[0 if truth else 1]
                weight *= (chance if truth else 1 - chance) / len(arm.times[0 if truth else 1])
                weight *= passing if passed else 1 - passing
            passes = [(lasting, place) for place, (_, lasting, passed) in enumerate(course) if passed]
            if passes:
                ended, winner = min(passes)
                quality += weight * course[winner][0]
            else:
                ended = max(lasting for _, lasting, _ in course)
                for place, (truth, _, _) in enumerate(course):
                    unpassed[place] += weight * truth
            time += weight * ended
            for arm, (truth, lasting, _) in zip(runners, course, strict=True):
                kind = 0 if truth else 1
                typical = sum(arm.times[kind]) / len(arm.times[kind])
                cost += weight * arm.cost[kind] * min(lasting, ended) / typical
    return Pace(quality + max(unpassed), cost, time)


def test_a_single_arm_is_as_good_dear_and_slow_as_it_is() -> None:
    assert pace([SLOW]) == (
        pytest.approx(0.7, abs=0.001),
        pytest.approx(0.5),
        pytest.approx(0.7 * 15 + 0.3 * 25, abs=0.01),
    )


@pytest.mark.parametrize("runners", [[QUICK], [QUICK, SLOW], [SLOW, QUICK], [QUICK, OTHER], [OTHER, SLOW, QUICK]])
def test_a_race_is_foreseen_as_the_sum_of_all_its_courses(runners: list[Runner]) -> None:
    assert pace(runners) == pytest.approx(_played(runners))


def test_a_race_is_quicker_and_better_than_its_arms_and_costs_less_than_their_sum() -> None:
    both, quick, slow = pace([QUICK, SLOW]), pace([QUICK]), pace([SLOW])
    assert both.quality > max(quick.quality, slow.quality)
    assert both.time < slow.time
    assert both.cost < quick.cost + slow.cost
