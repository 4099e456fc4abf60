"""What a request runs behind checks: a cascade, a race, or one arm and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.cascade import Start, Stop
from monkey_coder_server.domain.bandit.runner import Seen
from monkey_coder_server.domain.bandit.sequence_plans import MARGIN, QUICKER
from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.collapse import Rule
from monkey_coder_server.domain.sequencing import (
    GAINS_NO_MORE,
    MOST_ARMS,
    NO_GAIN,
    NOT_BETTER,
    NOT_USEFUL,
    ONE_ARM,
    Prospect,
    Sequencing,
    _alone,
    _scores,
    next_of,
    sequencing,
)
from monkey_coder_server.domain.weights import BALANCED, Weights

GOOD, USELESS = Rates(0.95, 0.05, 0.02), Rates(0.82, 0.82, 0.1)
STRONG = Prospect("strong", 0.85, 100_000_000, 300_000_000, 20_000.0)
GOOD_ONE = Prospect("good", 0.8, 30_000_000, 90_000_000, 8_000.0)
CHEAP = Prospect("cheap", 0.7, 2_000_000, 6_000_000, 4_000.0)
DEAR_AND_WEAK = Prospect("weak", 0.3, 90_000_000, 90_000_000, 30_000.0)
ALL = (STRONG, GOOD_ONE, CHEAP, DEAR_AND_WEAK)
PLANNED = [Rule.CASCADE, Rule.RACE, Rule.AUTO]


def plan(rule: Rule, *arms: Prospect, rates: Rates = GOOD, weights: Weights = BALANCED, most: int = 4) -> Sequencing:
    return sequencing(rule, arms or ALL, rates, weights, most=most)


@pytest.mark.parametrize("rule", PLANNED)
@pytest.mark.parametrize("rates", [USELESS, Rates(0.7, 0.3, 0.01), Rates(0.95, 0.05, 0.6)])
def test_behind_a_useless_or_doubtful_check_one_arm_runs_and_why_is_said(rule: Rule, rates: Rates) -> None:
    made = plan(rule, rates=rates)
    assert (made.rule, made.arms, made.reason) == (Rule.SINGLE, (), NOT_USEFUL)
    assert made.strongest == "strong"


@pytest.mark.parametrize("rule", PLANNED)
def test_one_arm_has_no_sequence(rule: Rule) -> None:
    assert plan(rule, CHEAP).reason == ONE_ARM
    assert plan(rule, most=1).reason == ONE_ARM


def test_a_cascade_costs_a_fraction_of_the_strongest_arm_and_loses_no_quality() -> None:
    made = plan(Rule.CASCADE)
    assert made.rule is Rule.CASCADE
    assert "cheap" in made.arms
    assert "weak" not in made.arms
    assert made.foreseen.quality >= made.alone.quality + MARGIN - 0.001
    assert made.foreseen.cost < 0.5 * made.alone.cost
    assert made.foreseen.latency_ms > CHEAP.latency_ms


def test_a_race_is_quicker_than_the_strongest_arm_and_loses_no_quality() -> None:
    made = plan(Rule.RACE)
    assert made.rule is Rule.RACE
    assert len(made.arms) > 1
    assert made.foreseen.latency_ms <= QUICKER * made.alone.latency_ms
    assert made.foreseen.quality > made.alone.quality


def test_where_no_sequence_gains_one_arm_runs() -> None:
    assert plan(Rule.CASCADE, STRONG, DEAR_AND_WEAK).reason == NO_GAIN
    assert plan(Rule.RACE, STRONG, DEAR_AND_WEAK).reason == NO_GAIN


def test_auto_weighs_by_the_requests_own_weights() -> None:
    assert (
        plan(Rule.AUTO, weights=Weights(20, 70, 10)).reason == NOT_BETTER
        or plan(Rule.AUTO, weights=Weights(20, 70, 10)).foreseen.cost
        <= plan(Rule.AUTO, weights=Weights(90, 3, 7)).foreseen.cost
    )
    fast = plan(Rule.AUTO, weights=Weights(10, 0, 90))
    assert fast.rule in {Rule.RACE, Rule.CASCADE}
    assert plan(Rule.AUTO, weights=Weights(100, 0, 0)).foreseen.quality >= fast.foreseen.quality


def test_auto_leaves_a_best_ranked_cheap_arm_alone_where_cost_is_all() -> None:
    made = plan(Rule.AUTO, CHEAP, GOOD_ONE, STRONG, weights=Weights(0, 100, 0))
    assert (made.rule, made.reason) == (Rule.SINGLE, NOT_BETTER)
    assert made.foreseen.quality == CHEAP.success


def test_a_cascade_is_carried_out_step_by_step_within_its_hold() -> None:
    made = plan(Rule.CASCADE)
    cascade = made.cascade(sum(runner.bound for runner in made.runners))
    first = cascade.step({})
    assert isinstance(first, Start)
    passed, failed = next(runner for runner in made.runners if runner.name == first.arm).sights
    assert isinstance(cascade.step({first.arm: passed}), Stop)
    assert isinstance(cascade.step({first.arm: failed}), Start)
    assert isinstance(cascade.step({first.arm: None}), Start)


def test_it_is_the_same_plan_with_other_greatest_costs() -> None:
    made = plan(Rule.CASCADE)
    other = made.within(dict.fromkeys(made.arms, 7))
    assert [runner.bound for runner in other.runners] == [7] * len(made.arms)
    assert other.arms == made.arms


def test_a_plan_that_is_not_run_says_why() -> None:
    made = plan(Rule.CASCADE).instead("no money")
    assert (made.rule, made.arms, made.reason) == (Rule.SINGLE, (), "no money")
    assert made.foreseen == made.alone


PROSPECTS = st.lists(
    st.builds(
        Prospect,
        st.just("arm"),
        st.floats(0.02, 0.98),
        st.integers(0, 10**9),
        st.integers(1, 10**10),
        st.floats(0.0, 60_000.0),
    ),
    min_size=1,
    max_size=2 * MOST_ARMS,
)


@given(drawn=PROSPECTS, rule=st.sampled_from(PLANNED), good=st.booleans(), most=st.integers(1, 3))
def test_no_plan_loses_quality_or_has_more_arms_than_asked_for(
    drawn: list[Prospect], rule: Rule, good: bool, most: int
) -> None:
    arms = [each._replace(name=f"arm {place}") for place, each in enumerate(drawn)]
    made = plan(rule, *arms, rates=GOOD if good else USELESS, most=most)
    assert len(set(made.arms)) == len(made.arms) <= most
    if made.rule is Rule.SINGLE:
        assert made.reason
        assert not made.arms
        return
    assert good
    assert len(made.arms) > 1
    if made.foreseen.quality < made.alone.quality + MARGIN - 0.002:
        assert rule is Rule.CASCADE
        score = _scores(arms, BALANCED)
        assert score(made.foreseen) > score(_alone(arms[0]))
    if rule is Rule.CASCADE:
        assert made.foreseen.cost <= made.alone.cost
    seen: dict[str, Seen] = {}
    spent, bounds = 0, {runner.name: runner for runner in made.runners}
    hold = sum(runner.bound for runner in made.runners)
    while isinstance(step := made.cascade(hold).step(seen), Start):
        spent += bounds[step.arm].bound
        assert spent <= hold
        seen[step.arm] = bounds[step.arm].sights[1]


SURE = Prospect("sure", 0.98, 100_000_000, 300_000_000, 20_000.0)


def test_where_no_cascade_keeps_the_strongest_arms_quality_one_may_serve_the_weights_better_than_the_best_ranked() -> (
    None
):
    assert plan(Rule.AUTO, CHEAP, GOOD_ONE, SURE).rule is Rule.SINGLE
    made = plan(Rule.CASCADE, CHEAP, GOOD_ONE, SURE)
    assert made.rule is Rule.CASCADE
    assert CHEAP.success < made.foreseen.quality < SURE.success
    assert made.foreseen.cost < made.alone.cost
    assert plan(Rule.CASCADE, CHEAP, GOOD_ONE, SURE, weights=Weights(0, 100, 0)).reason == NOT_BETTER
    assert plan(Rule.CASCADE, CHEAP, GOOD_ONE, SURE, rates=USELESS).reason == NOT_USEFUL
    assert plan(Rule.CASCADE, SURE, DEAR_AND_WEAK).reason == NO_GAIN


def test_a_cascade_that_keeps_the_strongest_arms_quality_is_run_whatever_the_weights() -> None:
    assert plan(Rule.CASCADE, weights=Weights(0, 100, 0)).rule is Rule.CASCADE


def test_the_callers_check_decides_whether_another_arm_is_asked() -> None:
    made = plan(Rule.CASCADE)
    first = next_of(made, ALL, ())
    assert first.start is not None
    assert first.start == made.cascade(10**12).step({})
    second = next_of(made, ALL, [first.start.arm])
    assert second.start is not None
    assert second.start.arm not in {first.start.arm, "weak"}
    last = next_of(made, ALL, [*made.arms])
    assert (last.rule, last.reason, last.start) == (Rule.SINGLE, GAINS_NO_MORE, None)


def test_failures_of_arms_outside_the_plan_say_how_hard_the_task_is() -> None:
    made = plan(Rule.CASCADE)
    unhindered, after = next_of(made, ALL, ()), next_of(made, ALL, ["weak"])
    assert unhindered.start is not None
    assert after.start is not None
    assert after.start.arm in made.arms
    hard = next_of(made, (*ALL, CHEAP._replace(name="sure", success=0.98)), ["sure"])
    chances = {each.name: each.success for each in ALL}
    assert hard.start is None or hard.start.right < chances[hard.start.arm]


def test_where_one_arm_was_planned_there_is_no_next() -> None:
    single = plan(Rule.CASCADE, rates=USELESS)
    assert next_of(single, ALL, ["cheap"]) is single
