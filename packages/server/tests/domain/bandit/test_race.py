"""Arms at once: the first to pass wins, the rest are cancelled, and all of them fit into the hold."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.race import Won, entrants, standing
from monkey_coder_server.domain.bandit.runner import Runner, Seen
from packages.server.tests.domain.bandit.runners import runner

ARMS = (runner("cheap", 0.5, 0.1), runner("middle", 0.6, 0.3), runner("dear", 0.7, 0.7))


def test_the_first_to_pass_wins_and_the_rest_are_cancelled() -> None:
    cheap, middle, _ = ARMS
    assert standing(ARMS, {}) is None
    assert standing(ARMS, {"middle": middle.sights[1]}) is None
    won = standing(ARMS, {"middle": middle.sights[1], "cheap": cheap.sights[0]})
    assert won == Won("cheap", ("dear",))


def test_if_none_passes_the_likeliest_answer_is_given() -> None:
    failed: dict[str, Seen] = {arm.name: arm.sights[1] for arm in ARMS}
    assert standing(ARMS, failed) == Won("dear", ())
    assert standing(ARMS, {**failed, "dear": None}) == Won("middle", ())


def test_if_none_left_an_answer_there_is_none() -> None:
    assert standing(ARMS, {arm.name: None for arm in ARMS}) == Won(None, ())


@given(st.lists(st.integers(0, 10), max_size=5), st.integers(0, 25))
def test_the_worst_cases_of_those_that_start_stay_within_the_hold(bounds: list[int], hold: int) -> None:
    runners = [runner(str(place), 0.5, 0.1, bound=bound) for place, bound in enumerate(bounds)]
    starting = entrants(runners, hold)
    assert sum(each.bound for each in starting) <= hold
    for left_out in set(runners) - set(starting):
        before = [each for each in starting if runners.index(each) < runners.index(left_out)]
        assert sum(each.bound for each in before) + left_out.bound > hold


@pytest.mark.parametrize("order", [*permutations(ARMS)])
def test_in_every_order_of_arrival_a_race_ends_once_with_its_first_pass(order: tuple[Runner, ...]) -> None:
    for choices in product((0, 1, None), repeat=len(ARMS)):
        sights = {
            arm.name: None if choice is None else arm.sights[choice] for arm, choice in zip(ARMS, choices, strict=True)
        }
        seen: dict[str, Seen] = {}
        for arm in order:
            seen[arm.name] = sights[arm.name]
            won = standing(ARMS, seen)
            if (sight := sights[arm.name]) is not None and sight.passed:
                assert won == Won(arm.name, tuple(each.name for each in ARMS if each.name not in seen))
                break
            assert (won is None) == (len(seen) < len(ARMS))
        else:
            assert won is not None
            assert won.cancel == ()
            assert won.arm is None or sights[won.arm] is not None
