"""The protocol of routing's evaluation on cases small enough to reckon by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.evaluation.routing.data import Outcome, Row
from monkey_coder_server.evaluation.routing.protocol import (
    LAMBDAS,
    Anchors,
    CallShare,
    Expectation,
    Judge,
    Point,
    area,
    call_share,
    choices,
    on_grid,
    played,
    quantile,
    reached,
)

ANCHORS = Anchors("cheap", "strong")
ARMS = ["cheap", "strong"]
COSTS = [1.0, 3.0]


def _row(name: str, cheap: float, strong: float) -> Row:
    return Row(name, "b", Context.of("k"), None, {"cheap": Outcome(cheap, 1.0), "strong": Outcome(strong, 3.0)}, {})


FOUR = [_row("a", 0, 1), _row("b", 0, 1), _row("c", 1, 1), _row("d", 0, 0)]
KNOWING = [Expectation([row.outcomes[arm].quality for arm in ARMS], COSTS) for row in FOUR]
MEAN = [Expectation([0.25, 0.75], COSTS)] * 4


def test_the_prices_are_none_and_241_from_a_thousandth_to_a_hundred_thousand() -> None:
    assert len(LAMBDAS) == 242
    assert (LAMBDAS[0], LAMBDAS[1], LAMBDAS[-1]) == (0.0, pytest.approx(1e-3), pytest.approx(1e5))
    assert LAMBDAS[121] / LAMBDAS[120] == pytest.approx(LAMBDAS[2] / LAMBDAS[1])


def test_one_who_knows_pays_only_where_it_helps() -> None:
    judge = Judge(FOUR, ANCHORS)
    figures = judge.figures(choices(FOUR, ARMS, KNOWING))
    # at the least price two rows of four go to the strong arm: half of the extra cost, all of the extra quality
    assert figures.apgr == pytest.approx(0.25 + 0.5)
    assert (figures.cpt50, figures.cpt80) == (0.25, 0.4)
    assert figures.save == pytest.approx(1 - 2 / 3)
    assert figures.gain == 0.0


def test_playing_one_arm_for_all_is_the_straight_line_between_the_anchors() -> None:
    figures = Judge(FOUR, ANCHORS).figures(choices(FOUR, ARMS, MEAN))
    assert figures == pytest.approx((0.5, 0.5, 0.8, 0.0, 0.0))


def test_rows_count_as_often_as_they_are_drawn() -> None:
    judge = Judge(FOUR, ANCHORS)
    figures = judge.figures(choices(FOUR, ARMS, KNOWING), [1.0, 0.0, 0.0, 3.0])
    assert figures.apgr == pytest.approx(0.125 + 0.75)


def test_the_interval_is_of_the_difference_over_draws_of_rows() -> None:
    rows = FOUR * 10
    judge = Judge(rows, ANCHORS)
    ours, static = choices(rows, ARMS, KNOWING * 10), choices(rows, ARMS, MEAN * 10)
    low, high = judge.interval(ours, static)
    assert 0.1 < low < 0.25 < high < 0.4
    assert judge.interval(ours, static) == (low, high)
    assert judge.interval(static, static) == (0.0, 0.0)


UNIT = st.floats(0, 1)


@given(st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=6))
def test_an_arm_is_played_from_the_price_at_which_it_becomes_the_best(arms: list[tuple[float, float]]) -> None:
    qualities, costs = [list(column) for column in zip(*arms, strict=True)]
    switches = dict(played(Expectation(qualities, costs)))
    now = switches[0]
    for at, rate in enumerate(LAMBDAS):
        now = switches.get(at, now)
        best = max(quality - rate * cost for quality, cost in arms)
        assert qualities[now] - rate * costs[now] == pytest.approx(best, abs=1e-9 * (1 + rate))


def test_of_equal_arms_the_first_is_played() -> None:
    assert played(Expectation([0.5, 0.5, 0.4], [2.0, 2.0, 2.0])) == [(0, 0)]


def test_the_curve_begins_at_the_cheap_anchor_keeps_the_better_of_equals_and_stays_level_past_its_end() -> None:
    line = on_grid([Point(0.5, 0.2), Point(0.5, 0.6), Point(0.75, 0.4)])
    assert [line[step] for step in (0, 50, 100, 125, 150, 200)] == pytest.approx([0.0, 0.3, 0.6, 0.5, 0.4, 0.4])
    below = on_grid([Point(-1.0, 0.0), Point(1.0, 1.0)])
    assert below[0] == pytest.approx(0.5)


def test_area_and_reach_of_a_line() -> None:
    assert area([0.0, 1.0, 1.0]) == pytest.approx(0.75)
    assert reached([0.0, 0.4, 0.9], 0.5) == 1.0
    assert reached([0.0, 0.5, 0.4], 0.5) == 0.5
    assert reached([0.0, 0.1], 0.5) == 1.0


def test_quantiles_are_linear_between_values() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == pytest.approx(2.5)
    assert quantile([7.0], 0.95) == 7.0


def test_the_share_of_calls_goes_by_predicted_gain() -> None:
    rows = [_row(str(place), 0, float(place < 5)) for place in range(10)]
    perfect = call_share(rows, ANCHORS, [float(place < 5) for place in range(10)])
    # five tenths of the calls bring all, a fifth of it each
    assert perfect == pytest.approx(CallShare(0.75, 0.3, 0.4))
    assert call_share(rows, ANCHORS, [float(place >= 5) for place in range(10)]).apgr == pytest.approx(0.25)
