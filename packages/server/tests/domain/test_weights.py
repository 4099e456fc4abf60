"""Weights in any ratio, who decides them, and that more weight never picks worse by what it weighs."""

from typing import Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Mode, Selection
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.routing import CandidateState, Expectation, Learned, plan
from monkey_coder_server.domain.routing_explained import explained
from monkey_coder_server.domain.weights import (
    BALANCED,
    MODE_WEIGHTS,
    MOST,
    Decider,
    Weighers,
    Weighing,
    Weights,
    weights_of,
)
from packages.server.tests.domain.test_routing import ask, card, state

OWN, KEYS = Weights(10, 20, 70), Weights(0, 100, 0)
NUMBERS = st.integers(0, 1_000).map(lambda number: number / 10)
NAMED = st.tuples(NUMBERS, NUMBERS, NUMBERS).filter(any)
CANDIDATES = st.lists(
    st.builds(
        lambda number, dollars, success, seconds: state(
            card(f"p{number % 3}", f"m{number}"),
            dollars,
            first_byte_ms=1_000 * seconds,
            tokens_per_second=1e9,
            learned=Learned(success=success),
            usual_output=500,
        ),
        st.integers(0, 30),
        st.floats(0.01, 100),
        st.floats(0.05, 1),
        st.floats(0.1, 60),
    ),
    min_size=2,
    max_size=8,
    unique_by=lambda each: each.card.name,
)


@pytest.mark.parametrize("weights", [(50, 50, 1), (-1, 51, 50), (0, 0, 0), (float("nan"), 50, 50)])
def test_weights_are_percentages(weights: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        Weights(*weights)


@pytest.mark.parametrize(
    ("weighers", "mode", "weighing"),
    [
        (Weighers(OWN), Mode.BALANCED, Weighing(OWN, Decider.PERSONA)),
        (Weighers(OWN), Mode.PINNED, Weighing(OWN, Decider.PERSONA)),
        (Weighers(OWN), Mode.CHEAP, Weighing(MODE_WEIGHTS[Mode.CHEAP], Decider.MODEL)),
        (Weighers(OWN, KEYS), Mode.BALANCED, Weighing(KEYS, Decider.KEY)),
        (Weighers(OWN, KEYS), Mode.BEST, Weighing(MODE_WEIGHTS[Mode.BEST], Decider.MODEL)),
        (Weighers(BALANCED, KEYS, OWN), Mode.BALANCED, Weighing(OWN, Decider.REQUEST)),
        (Weighers(BALANCED, KEYS, OWN), Mode.FAST, Weighing(OWN, Decider.REQUEST)),
    ],
)
def test_the_nearest_to_the_request_decides(weighers: Weighers, mode: Mode, weighing: Weighing) -> None:
    assert weighers.weighing(mode) == weighing


def test_only_ratios_count_and_what_is_left_out_counts_nothing() -> None:
    assert weights_of("It", quality=1, cost=0.5, latency=0.5) == Weights(50, 25, 25)
    assert weights_of("It", quality=MOST, cost=MOST / 2, latency=MOST / 2) == Weights(50, 25, 25)
    assert weights_of("It", cost=0.001) == Weights(0, 100, 0)
    assert weights_of("It", quality=1, cost=0.3).shown() == {"quality": 76.92, "cost": 23.08, "latency": 0.0}


@pytest.mark.parametrize(
    "named",
    [(None, None, None), (0, 0, 0), (1, -0.1, 1), (MOST + 1, 0, 0), (float("nan"), 1, 1), (float("inf"), 1, 1)],
)
def test_what_cannot_weigh_is_refused(named: tuple[float | None, float | None, float | None]) -> None:
    quality, cost, latency = named
    with pytest.raises(InvalidRequest, match="It must weigh quality, cost and latency by numbers from 0 to 1000000"):
        weights_of("It", quality=quality, cost=cost, latency=latency)


@given(st.tuples(*[st.floats(0, MOST)] * 3).filter(any))
def test_any_numbers_that_weigh_come_to_percentages(named: tuple[float, float, float]) -> None:
    weights_of("It", quality=named[0], cost=named[1], latency=named[2])


def test_a_plan_says_who_decided_its_weights() -> None:
    made = plan(ask("auto:cheap", weighers=Weighers(request=OWN)), [state(card("openai", "big", 1), 20)])
    assert (made.weights, made.weights_from) == (OWN, Decider.REQUEST)
    told = explained(made)
    assert (told["weights"], told["weights_from"]) == (OWN.shown(), "request")


@given(CANDIDATES, NAMED, st.floats(0.1, 1_000), st.sampled_from(["cost", "latency"]))
@settings(max_examples=300)
def test_more_weight_never_picks_dearer_or_slower_first(
    states: list[CandidateState],
    named: tuple[float, float, float],
    more: float,
    raised: Literal["cost", "latency"],
) -> None:
    said = dict(zip(("quality", "cost", "latency"), named, strict=True))
    before, after = _first(states, said), _first(states, {**said, raised: said[raised] + more})
    if raised == "cost":
        assert after.cost <= before.cost
    else:
        assert after.latency_ms <= max(before.latency_ms, 500)


@given(CANDIDATES, st.sampled_from(["cost", "latency"]))
def test_all_the_weight_picks_the_cheapest_or_the_fastest(
    states: list[CandidateState], only: Literal["cost", "latency"]
) -> None:
    assume(all(each.first_byte_ms is not None and each.first_byte_ms > 500 for each in states))
    every = [_first([each], {only: 1}) for each in states]
    chosen = _first(states, {only: 1})
    assert getattr(chosen, "cost" if only == "cost" else "latency_ms") == pytest.approx(
        min(each.cost if only == "cost" else each.latency_ms for each in every)
    )


def _first(states: list[CandidateState], named: dict[str, float]) -> Expectation:
    """What is expected of the candidate that is tried first."""
    request = ask(
        selection=Selection("auto", Mode.BALANCED, tuple(each.card for each in states)),
        weighers=Weighers(request=weights_of("It", **named)),
    )
    return plan(request, states).candidates[0].expected
