"""The rivals beside the product's router: ridge regression over kinds, and a random mix."""

import pytest

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.evaluation.routing.data import Outcome, Row, set_from
from monkey_coder_server.evaluation.routing.protocol import random_mix
from monkey_coder_server.evaluation.routing.ridge import PENALTIES, ridge
from monkey_coder_server.evaluation.routing.routers import Lesson, expectations
from monkey_coder_server.evaluation.routing.splits import Split


def of_kind(name: str, kind: str, quality: float) -> Row:
    return Row(name, "new", Context.of(kind), None, {"a": Outcome(quality, 1.0)}, {})


def test_kinds_that_differ_are_told_apart_with_the_least_penalty() -> None:
    rows = [of_kind(f"x/{number}", "fix", 1.0) for number in range(40)]
    rows += [of_kind(f"y/{number}", "test", 0.0) for number in range(40)]
    of = set_from([*rows, of_kind("z", "fix", 1.0), of_kind("w", "test", 0.0), of_kind("v", "explain", 1.0)], "new")
    found = expectations(of, [Split(rows, [80, 81, 82])], {}, ridge)
    levels = 3  # kind, language and group each have a weight, and share what there is to explain
    expected = 0.5 * 40 * levels / (40 * levels + min(PENALTIES))
    assert [each.qualities[0] for each in found] == pytest.approx([0.5 + expected, 0.5 - expected, 0.5], abs=1e-3)


def test_kinds_that_only_seem_to_differ_are_shrunk_together() -> None:
    rows = [of_kind(f"x/{number}", f"kind {number // 2}", float(number % 3 == 0)) for number in range(60)]
    of = set_from([*rows, of_kind("z", "kind 0", 1.0)], "new")
    learnt = ridge(Lesson(rows, of.arms, [0.0], [1 / 3]))(of.rows[-1])
    assert learnt.qualities[0] == pytest.approx(1 / 3, abs=0.05)


def test_a_random_mix_is_the_straight_line_between_the_anchors() -> None:
    assert random_mix() == pytest.approx((0.5, 0.5, 0.8, 0.0, 0.0))
