"""Plans that lose no quality, and the strongest arm alone where there is none."""

import pytest

from monkey_coder_server.domain.bandit.cascade import STEPS
from monkey_coder_server.domain.bandit.runner import Runner
from monkey_coder_server.domain.bandit.sequence_plans import (
    COST_MARGIN,
    MARGIN,
    QUICKER,
    RACE_MARGIN,
    finest,
    quickest,
    thriftiest,
)
from monkey_coder_server.domain.bandit.verifier import Rates
from packages.server.tests.domain.bandit.runners import GOOD, USELESS, runner

SLOW_AND_STRONG = ((30.0, 50.0), (60.0,))


def _arms(rates: Rates = GOOD) -> list[Runner]:
    return [
        runner("strong", 0.75, 0.75, rates=rates, times=SLOW_AND_STRONG),
        runner("cheap", 0.62, 0.03, rates=rates, times=((30.0,), (60.0,))),
        runner("quick", 0.6, 0.04, rates=rates, times=((10.0, 20.0), (15.0,))),
        runner("good", 0.74, 0.45, rates=rates, times=((30.0, 45.0), (50.0,))),
        runner("weak", 0.1, 0.3, rates=rates, times=((50.0,), (90.0,))),
    ]


def test_with_a_good_check_a_cascade_costs_a_fraction_of_the_strongest_arm_and_loses_nothing() -> None:
    arms = _arms()
    plan = thriftiest(arms, arms[0], GOOD)
    assert set(plan.arms) >= {"cheap", "good"}
    assert "weak" not in plan.arms
    assert plan.foreseen.quality >= 0.75 + MARGIN
    assert plan.foreseen.cost < 0.4 * 0.75
    assert plan.worth > 0.75


def test_for_most_quality_more_is_spent_but_not_what_the_strongest_arm_costs() -> None:
    arms = _arms()
    most, least = finest(arms, arms[0], GOOD), thriftiest(arms, arms[0], GOOD)
    assert most.foreseen.quality > least.foreseen.quality
    assert least.foreseen.cost < most.foreseen.cost <= 0.75 * (1 - COST_MARGIN)


def test_a_race_is_quicker_and_cheaper_than_the_strongest_arm_and_loses_nothing() -> None:
    arms = _arms()
    plan = quickest(arms, arms[0], GOOD)
    assert len(plan.arms) > 1
    assert "weak" not in plan.arms
    assert plan.foreseen.quality >= 0.75 + RACE_MARGIN - 0.001
    assert plan.foreseen.time <= QUICKER * (0.75 * 40 + 0.25 * 60) + 0.1
    assert plan.foreseen.cost < 0.75


@pytest.mark.parametrize("rates", [USELESS, Rates(0.7, 0.3, 0.01), Rates(0.9, 0.1, 0.5)])
def test_with_a_useless_or_doubtful_check_the_strongest_arm_runs_alone(rates: Rates) -> None:
    arms = _arms(rates)
    for plan in (thriftiest(arms, arms[0], rates), finest(arms, arms[0], rates), quickest(arms, arms[0], rates)):
        assert plan.arms == ("strong",)
    assert thriftiest(arms, arms[0], rates).foreseen == (pytest.approx(0.75, abs=0.001), pytest.approx(0.75))


def test_where_no_plan_is_better_the_strongest_arm_runs_alone() -> None:
    strong, weak = _arms()[0], _arms()[4]
    assert thriftiest([strong, weak], strong, GOOD).arms == ("strong",)
    assert finest([strong, weak], strong, GOOD).arms == ("strong",)
    assert quickest([strong, weak], strong, GOOD).arms == ("strong",)


def test_a_plan_has_no_more_arms_than_a_sequence_has_steps() -> None:
    arms = [runner(str(place), 0.5, 0.01, slope=0.0) for place in range(STEPS + 2)]
    assert len(finest(arms, runner("strong", 0.6, 1.0), GOOD).arms) == STEPS
