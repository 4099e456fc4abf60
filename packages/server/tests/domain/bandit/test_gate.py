"""A refinement acts only while what it gained is above its standard error."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.gate import FEWEST, Gate, Step, held, hull


def _after(pairs: list[tuple[float, float]]) -> Gate:
    gate = Gate()
    for true, claimed in pairs:
        gate.add(true, claimed)
    return gate


def test_a_gate_is_closed_until_enough_tasks_were_seen() -> None:
    assert not Gate().is_open
    assert not _after([(1.0, 1.0)] * (FEWEST - 1)).is_open
    assert _after([(1.0, 1.0)] * FEWEST).is_open


def test_a_refinement_that_claims_nothing_gains_nothing() -> None:
    assert not _after([(0.0, 0.0)] * 100).is_open


@pytest.mark.parametrize(("won", "is_open"), [(50, False), (54, False), (56, True), (40, False)])
def test_the_gain_must_be_above_its_standard_error(won: int, is_open: bool) -> None:
    # of 100 tasks some gain and the others lose 1: about 10 is one standard error of their sum
    assert _after([(1.0, 1.0)] * won + [(-1.0, 1.0)] * (100 - won)).is_open is is_open


@given(st.lists(st.tuples(st.sampled_from([-1.0, 0.5, 2.0]), st.sampled_from([0.25, 1.0])), max_size=60))
def test_gates_of_several_processes_add_up_in_any_order(pairs: list[tuple[float, float]]) -> None:
    random, parts, merged = Random(1), [Gate(), Gate(), Gate()], Gate()
    for true, claimed in pairs:
        random.choice(parts).add(true, claimed)
    random.shuffle(parts)
    for part in parts:
        merged.merge(part)
    assert merged == _after(pairs)


def test_the_hull_passes_over_arms_that_a_mix_of_others_beats() -> None:
    qualities, costs = [0.2, 0.4, 0.5, 0.8, 0.3, 0.7], [1.0, 5.0, 3.0, 9.0, 2.0, 12.0]
    assert hull(qualities, costs) == [Step(0, 2, 2 / 8), Step(2, 3, 6 / 8)]
    assert hull([0.9, 0.5], [1.0, 2.0]) == []
    assert hull([0.5, 0.9], [1.0, 1.0]) == []


def test_the_gain_of_a_refinement_by_hand() -> None:
    steps = [Step(0, 1, 0.25), Step(1, 2, 0.75)]
    true, plain, refined = [0.0, 1.0, 1.0], [0.2, 0.5, 0.9], [0.1, 0.6, 0.8]
    # the first step was to gain 0.3, claimed 0.2 more, and gained 1; the second was to gain 0.4, claimed 0.2 less
    came, claimed = held(steps, true, plain, refined)
    assert came == pytest.approx(0.25 * 0.2 * 0.7 + 0.75 * -0.2 * -0.4)
    assert claimed == pytest.approx(0.25 * 0.04 + 0.75 * 0.04)
