"""Expected costs: list prices first, then what was paid."""

import pytest

from monkey_coder_server.domain.bandit.context import ANYTHING, Context
from monkey_coder_server.domain.bandit.costs import COARSER_ROWS, LIST_ROWS, Costs

FIX, CHAT = Context.of("fix"), Context.of("chat")


def test_before_anything_was_paid_the_list_price_is_expected_with_as_much_doubt() -> None:
    (belief,) = Costs({"a": 0.3}).expect(FIX, ["a"])
    assert belief.mean == pytest.approx(0.3)
    assert belief.spread == pytest.approx(0.3 / LIST_ROWS**0.5)


def test_what_was_paid_outweighs_the_list_price_and_doubt_shrinks() -> None:
    costs = Costs({"a": 0.3})
    for _ in range(3):
        costs.learn(ANYTHING, "a", 0.1)
    (few,) = costs.expect(ANYTHING, ["a"])
    assert few.mean == pytest.approx((LIST_ROWS * 0.3 + 3 * 0.1) / (LIST_ROWS + 3))
    for _ in range(1_000):
        costs.learn(ANYTHING, "a", 0.1)
    (many,) = costs.expect(ANYTHING, ["a"])
    assert many.mean == pytest.approx(0.1, abs=0.001)
    assert many.spread < few.spread / 10


def test_a_kind_of_work_that_costs_more_is_expected_to() -> None:
    costs = Costs({"a": 0.2, "b": 0.2})
    for _ in range(30):
        costs.learn(FIX, "a", 0.5)
        costs.learn(CHAT, "a", 0.1)
    (fix, unseen), (chat, _) = (costs.expect(context, ["a", "b"]) for context in (FIX, CHAT))
    everywhere = (LIST_ROWS * 0.2 + 30 * 0.6) / (LIST_ROWS + 60)
    at_kind = everywhere
    for _ in range(3):
        at_kind = (COARSER_ROWS * at_kind + 30 * 0.5) / (COARSER_ROWS + 30)
    assert fix.mean == pytest.approx(at_kind)
    assert chat.mean < 0.15
    assert unseen.mean == pytest.approx(0.2)


def test_what_two_processes_saw_adds_up_in_any_order() -> None:
    first, second = Costs({"a": 0.2}), Costs({"a": 0.2})
    first.learn(FIX, "a", 0.5)
    second.learn(FIX, "a", 0.25)
    second.learn(CHAT, "a", 0.125)
    one, other = Costs({"a": 0.2}), Costs({"a": 0.2})
    for each in (first, second):
        one.merge(each)
    for each in (second, first):
        other.merge(each)
    assert one == other
    assert one.seen[()]["a"].rows == 3


def test_an_arm_without_a_list_price_is_refused() -> None:
    with pytest.raises(KeyError):
        Costs({}).expect(FIX, ["a"])
