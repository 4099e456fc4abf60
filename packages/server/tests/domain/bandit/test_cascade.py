"""One arm after the other: what runs next, when to stop, and never more than the hold."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.cascade import STEPS, Cascade, Start, Stop
from monkey_coder_server.domain.bandit.difficulty import LEVELS, chances
from monkey_coder_server.domain.bandit.runner import Given, Runner, Seen, Sight
from packages.server.tests.domain.bandit.runners import RUNNERS, USELESS, runner

CHEAP, MIDDLE, DEAR = runner("cheap", 0.6, 0.03), runner("middle", 0.65, 0.3), runner("dear", 0.75, 0.7)
LARGE = 10**12


def _passed(arm: Runner) -> Sight:
    return arm.sights[0]


def _failed(arm: Runner) -> Sight:
    return arm.sights[1]


def _named(arms: list[Runner]) -> list[Runner]:
    return [
        Runner(f"arm {place}", arm.chances, arm.cost, arm.bound, arm.sights, arm.times)
        for place, arm in enumerate(arms)
    ]


def test_the_cheap_arm_runs_first_its_pass_ends_it_and_its_failure_escalates() -> None:
    cascade = Cascade([DEAR, CHEAP], worth=3.0, hold=LARGE)
    first = cascade.step({})
    assert isinstance(first, Start)
    assert first.arm == "cheap"
    assert first.right == pytest.approx(0.6, abs=0.001)
    assert first.cost == pytest.approx(0.03)
    assert first.per_usd == pytest.approx(0.9 * first.right / 0.03)
    accepted = cascade.step({"cheap": _passed(CHEAP)})
    assert accepted == Stop("cheap", pytest.approx(0.54 / 0.58, abs=0.001))
    escalated = cascade.step({"cheap": _failed(CHEAP)})
    assert isinstance(escalated, Start)
    assert escalated.arm == "dear"
    assert escalated.right < 0.6, "what one arm failed at is hard for others"


def test_after_every_arm_failed_the_likeliest_answer_is_given() -> None:
    cascade = Cascade([CHEAP, DEAR], worth=3.0, hold=LARGE)
    assert cascade.step({"cheap": _failed(CHEAP), "dear": _failed(DEAR)})[0] == "dear"
    assert cascade.step({"cheap": _passed(CHEAP), "dear": _failed(DEAR)})[0] == "cheap"


def test_a_hopeless_task_is_given_up_before_the_dear_arm() -> None:
    cascade = Cascade([CHEAP, DEAR], worth=0.75, hold=LARGE)
    assert cascade.step({"cheap": _failed(CHEAP)})[0] == "cheap"
    assert isinstance(cascade.step({"cheap": _failed(CHEAP)}), Stop)


def test_something_runs_even_where_no_answer_is_worth_its_cost() -> None:
    assert Cascade([DEAR], worth=0.01, hold=LARGE).step({})[0] == "dear"


def test_an_arm_that_costs_nothing_has_no_bound_to_its_index() -> None:
    step = Cascade([runner("free", 0.5, 0.0)], worth=1.0, hold=LARGE).step({})
    assert isinstance(step, Start)
    assert step.per_usd == float("inf")


def test_a_run_that_came_to_nothing_is_no_answer_and_the_next_arm_runs() -> None:
    cascade = Cascade([CHEAP, DEAR], worth=3.0, hold=LARGE)
    step = cascade.step({"cheap": None})
    assert isinstance(step, Start)
    assert (step.arm, step.right) == ("dear", pytest.approx(0.75, abs=0.001))
    assert cascade.step({"cheap": None, "dear": None}) == Stop(None, 0.0)
    assert cascade.step({"cheap": None, "dear": _failed(DEAR)})[0] == "dear"


def test_no_arm_starts_that_does_not_fit_into_the_hold_beside_those_before() -> None:
    both = CHEAP.bound + DEAR.bound
    enough, short = (Cascade([CHEAP, DEAR], worth=3.0, hold=hold) for hold in (both, both - 1))
    assert isinstance(enough.step({"cheap": _failed(CHEAP)}), Start)
    assert isinstance(short.step({"cheap": _failed(CHEAP)}), Stop)
    assert Cascade([CHEAP], worth=3.0, hold=CHEAP.bound - 1).step({}) == Stop(None, 0.0)


def test_a_check_that_says_nothing_buys_no_second_run() -> None:
    arms = [runner("cheap", 0.6, 0.3, rates=USELESS), runner("dear", 0.61, 0.7, rates=USELESS)]
    cascade = Cascade(arms, worth=3.0, hold=LARGE)
    for sight in arms[0].sights:
        assert cascade.step({"cheap": sight}) == Stop("cheap", pytest.approx(0.6, abs=0.001))


def test_graded_sights_tell_more_than_pass_and_fail() -> None:
    sights = (Sight(True, Given(0.7, 0.05)), Sight(True, Given(0.2, 0.25)), Sight(False, Given(0.1, 0.7)))
    graded = Runner("cheap", chances(0.6, 3.0), Given(0.03, 0.03), 1, sights)
    cascade = Cascade([graded, DEAR], worth=4.0, hold=LARGE)
    clear, doubtful = (cascade.step({"cheap": sight}) for sight in sights[:2])
    assert isinstance(clear, Stop)
    assert isinstance(doubtful, Start)


def test_what_is_foreseen_is_what_comes_of_playing_every_course() -> None:
    arms = [CHEAP, MIDDLE, DEAR]
    cascade = Cascade(arms, worth=3.0, hold=LARGE)
    quality = cost = 0.0
    for level in range(LEVELS):
        for truths in product((True, False), repeat=3):
            for verdicts in product((0, 1), repeat=3):
                probability, seen, spent = 1 / LEVELS, dict[str, Seen](), 0.0
                for arm, truth, verdict in zip(arms, truths, verdicts, strict=True):
                    chance, (right, wrong) = arm.chances[level], arm.sights[verdict].of
                    probability *= chance * right if truth else (1 - chance) * wrong
                while isinstance(step := cascade.step(seen), Start):
                    place = [arm.name for arm in arms].index(step.arm)
                    spent += arms[place].cost.right
                    seen[step.arm] = arms[place].sights[verdicts[place]]
                cost += probability * spent
                quality += probability * truths[[arm.name for arm in arms].index(step.arm or "")]
    foreseen = cascade.foresee()
    assert foreseen.quality == pytest.approx(quality)
    assert foreseen.cost == pytest.approx(cost)


@settings(max_examples=60)
@given(RUNNERS, st.floats(0.01, 5.0), st.integers(0, 30), st.integers(1, STEPS))
def test_whatever_is_seen_the_worst_cases_of_started_arms_stay_within_the_hold(
    arms: list[Runner], worth: float, hold: int, steps: int
) -> None:
    arms = _named(arms)
    by_name = {arm.name: arm for arm in arms}
    cascade = Cascade(arms, worth=worth, hold=hold, steps=steps)

    def explore(seen: dict[str, Seen]) -> None:
        step = cascade.step(seen)
        if isinstance(step, Start):
            assert step.arm not in seen
            assert sum(by_name[name].bound for name in [*seen, step.arm]) <= hold
            assert len(seen) < steps
            for sight in (*by_name[step.arm].sights, None):
                explore({**seen, step.arm: sight})
        elif step.arm is not None:
            assert seen[step.arm] is not None

    explore({})


@settings(max_examples=30)
@given(RUNNERS, st.floats(0.01, 5.0))
def test_the_same_sights_lead_to_the_same_step_in_whatever_order_they_came(arms: list[Runner], worth: float) -> None:
    arms = _named(arms)
    seen: dict[str, Seen] = {arm.name: arm.sights[place % 2] for place, arm in enumerate(arms[:-1])}
    step = Cascade(arms, worth=worth, hold=LARGE).step(seen)
    assert Cascade(arms, worth=worth, hold=LARGE).step(dict(reversed(seen.items()))) == step
