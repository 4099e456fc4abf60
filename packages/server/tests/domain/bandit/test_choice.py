"""How probably each arm is the best, the limits of exploring, and draws."""

from math import sqrt
from random import Random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.choice import best_probabilities, drawn, limited
from monkey_coder_server.domain.bandit.posterior import Belief

BELIEFS = st.lists(st.builds(Belief, st.floats(-1, 1), st.floats(0.005, 0.5)), min_size=1, max_size=20)
NEARLY = 0.03
"""How far a probability may be off."""


@pytest.mark.parametrize(
    ("gap", "first", "second"), [(0.0, 0.1, 0.3), (0.05, 0.1, 0.1), (0.2, 0.3, 0.05), (-0.4, 0.2, 0.3)]
)
def test_of_two_arms_the_probability_is_the_normal_one(gap: float, first: float, second: float) -> None:
    found = best_probabilities([Belief(0.5 + gap, first), Belief(0.5, second)])
    assert found[0] == pytest.approx(NormalDist().cdf(gap / sqrt(first**2 + second**2)), abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_of_twenty_arms_the_probabilities_are_the_shares_of_many_draws(seed: int) -> None:
    random, draws = Random(seed), 20_000
    beliefs = [Belief(random.gauss(0.5, 0.1), random.choice((0.01, 0.05, 0.1, 0.2))) for _ in range(20)]
    won = [0] * len(beliefs)
    for _ in range(draws):
        sampled = [random.gauss(mean, spread) for mean, spread in beliefs]
        won[sampled.index(max(sampled))] += 1
    for probability, wins in zip(best_probabilities(beliefs), won, strict=True):
        assert probability == pytest.approx(wins / draws, abs=0.02)


@given(BELIEFS)
def test_probabilities_sum_to_1_and_none_is_negative(beliefs: list[Belief]) -> None:
    found = best_probabilities(beliefs)
    assert sum(found) == pytest.approx(1.0)
    assert min(found) >= 0


@given(BELIEFS, st.integers(0, 19), st.floats(0, 0.5))
def test_an_arm_of_which_more_is_expected_is_no_less_probable(beliefs: list[Belief], place: int, more: float) -> None:
    place %= len(beliefs)
    mean, spread = beliefs[place]
    raised = [*beliefs[:place], Belief(mean + more, spread), *beliefs[place + 1 :]]
    assert best_probabilities(raised)[place] >= best_probabilities(beliefs)[place] - NEARLY


def test_arms_believed_alike_share_evenly_and_a_sure_best_has_all() -> None:
    assert best_probabilities([Belief(0.5, 0.1)] * 4) == pytest.approx([0.25] * 4)
    assert best_probabilities([Belief(0.5, 0.0)] * 2) == pytest.approx([0.5] * 2)
    assert best_probabilities([Belief(0.9, 0.01), Belief(0.1, 0.01)]) == [1.0, 0.0]
    assert best_probabilities([Belief(0.3, 0.0)]) == [1.0]


@given(BELIEFS, st.lists(st.booleans(), min_size=20, max_size=20), st.floats(0.01, 0.5))
def test_arms_of_which_little_is_known_get_at_most_their_share_together(
    beliefs: list[Belief], known: list[bool], share: float
) -> None:
    proven = known[: len(beliefs)]
    found = limited(beliefs, proven, share)
    unproven = sum(each for each, known in zip(found, proven, strict=True) if not known)
    assert sum(found) == pytest.approx(1.0)
    if any(proven):
        assert unproven <= share + 1e-9


def test_what_is_held_goes_to_the_others_as_if_they_were_alone() -> None:
    newcomers, others = [Belief(0.9, 0.01), Belief(0.9, 0.01)], [Belief(0.5, 0.1), Belief(0.45, 0.1)]
    found = limited([*newcomers, *others], [False, False, True, True])
    assert found[:2] == pytest.approx([0.025, 0.025])
    assert found[2:] == pytest.approx([0.95 * each for each in best_probabilities(others)])


def test_what_is_within_its_share_or_all_there_is_is_left_as_it_is() -> None:
    beliefs = [Belief(0.5, 0.1), Belief(0.5, 0.1)]
    assert limited(beliefs, [False, False]) == best_probabilities(beliefs)
    assert limited(beliefs, [False, True], 0.6) == best_probabilities(beliefs)


def test_a_draw_follows_the_probabilities_and_is_the_same_by_the_same_number() -> None:
    probabilities = [0.0, 0.25, 0.0, 0.75, 0.0]
    assert [drawn(probabilities, uniform) for uniform in (0.0, 0.2, 0.25, 0.9, 0.999999999999999999)] == [1, 1, 3, 3, 3]
    tenths = [0.1] * 10
    assert drawn(tenths, 1 - 2**-53) == 9


@given(BELIEFS, st.floats(0, 1, exclude_max=True))
def test_no_arm_of_probability_0_is_drawn(beliefs: list[Belief], uniform: float) -> None:
    probabilities = best_probabilities(beliefs)
    assert probabilities[drawn(probabilities, uniform)] > 0
