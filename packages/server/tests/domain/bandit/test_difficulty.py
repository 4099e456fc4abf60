"""What one arm's failure says of the others."""

from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.difficulty import LEVELS, SLOPES, Difficulty, Tried, chances


@given(st.floats(0, 1), st.sampled_from(SLOPES))
def test_over_all_levels_an_arm_is_as_good_as_expected(expected: float, slope: float) -> None:
    levels = chances(expected, slope)
    assert len(levels) == LEVELS
    assert fmean(levels) == pytest.approx(min(max(expected, 0.005), 0.995), abs=0.0006)
    assert list(levels) == sorted(levels, reverse=True)


def test_without_a_slope_every_task_is_alike_and_with_one_it_is_not() -> None:
    assert chances(0.6, 0.0) == pytest.approx((0.6,) * LEVELS)
    easiest, *_, hardest = chances(0.6, 3.0)
    assert easiest > 0.95
    assert hardest < 0.1


def _seen(slope: float, tasks: int) -> Difficulty:
    random, difficulty = Random(7), Difficulty()
    arms = {expected: chances(expected, slope) for expected in (0.4, 0.6, 0.7)}
    for _ in range(tasks):
        level = random.randrange(LEVELS)
        difficulty.learn(Tried(expected, float(random.random() < levels[level])) for expected, levels in arms.items())
    return difficulty


def test_before_anything_was_seen_a_middling_slope_is_believed() -> None:
    assert Difficulty().slope == 2.0


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_slope_is_found_from_what_several_arms_did_at_the_same_tasks(slope: float) -> None:
    assert _seen(slope, 600).slope == pytest.approx(slope, abs=0.5)


def test_what_single_arms_did_says_nothing_of_slopes() -> None:
    difficulty = Difficulty()
    for quality in (0.0, 1.0, 1.0):
        difficulty.learn([Tried(0.6, quality)])
    assert difficulty.support == pytest.approx([difficulty.support[0]] * len(SLOPES))


def test_processes_merge_to_what_one_would_have_seen() -> None:
    tasks = [[Tried(0.5, 1.0), Tried(0.7, 0.0)], [Tried(0.5, 0.0), Tried(0.7, 0.0)], [Tried(0.2, 1.0), Tried(0.9, 0.5)]]
    whole = Difficulty()
    for task in tasks:
        whole.learn(task)
    parts = [Difficulty() for _ in tasks]
    for part, task in zip(parts, tasks, strict=True):
        part.learn(task)
    forwards, backwards = Difficulty(), Difficulty()
    for part in parts:
        forwards.merge(part)
    for part in reversed(parts):
        backwards.merge(part)
    assert forwards.support == pytest.approx(whole.support)
    assert backwards.support == pytest.approx(whole.support)
