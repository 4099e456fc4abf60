"""Public test results beside the vendors' own ranking."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.pricing import PriceRow, Rates
from monkey_coder_server.domain.public_scores import BASE, EXERCISES, SLOPE, SOLVED, fitted_line, solved_share
from monkey_coder_server.domain.routing_priors import claimed_standing, standing

CARD = ModelCard("openai", "gpt-5", "gpt-5", 100_000, 8_000, frozenset({Capability.TOOLS}), 1)
ROW = PriceRow(provider="openai", model="gpt-5", rates=Rates.of(input=1, output=1_000_000_000))


def test_a_share_is_of_the_exercises_and_only_of_tested_models() -> None:
    assert solved_share("openai/gpt-5") == SOLVED["openai/gpt-5"] / EXERCISES
    assert solved_share("openai/gpt-99") is None
    assert all(0 < solved <= EXERCISES for solved in SOLVED.values())


def test_a_test_counts_as_much_as_the_vendors_claim() -> None:
    claimed = claimed_standing(CARD, ROW, 0)
    assert standing(CARD, ROW, 0) == pytest.approx((claimed + BASE + SLOPE * SOLVED["openai/gpt-5"] / EXERCISES) / 2)
    untested = replace(CARD, model="gpt-99")
    assert standing(untested, ROW, 0) == claimed_standing(untested, ROW, 0) == claimed


def test_the_line_is_that_of_least_squares() -> None:
    assert fitted_line([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) == pytest.approx((1.0, 2.0))
    assert fitted_line([(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)]) == pytest.approx((1 / 3, 0.0))
    for points in ([], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 3.0)]):
        with pytest.raises(ValueError, match="two places"):
            fitted_line(points)
