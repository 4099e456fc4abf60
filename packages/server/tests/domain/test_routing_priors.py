"""The stated assumptions, each by the difference it makes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.pricing import PriceRow, Rates
from monkey_coder_server.domain.routing_priors import expected_output, quality, speed, standing

USD = 1_000_000_000
PLAIN = frozenset({Capability.TOOLS})
CARD = ModelCard("p", "m", "m", 100_000, 8_000, PLAIN, 1)
ROW = PriceRow(provider="p", model="m", rates=Rates.of(input=USD, output=USD))
FREE = PriceRow(provider="p", model="m", rates=Rates.of(input=0, output=0), free=True)


def prior(
    card: ModelCard = CARD, row: PriceRow = ROW, *, task: str = "chat", tokens: int = 100, position: int = 0
) -> float:
    return quality(card, standing(card, row, position), task_type=task, input_tokens=tokens)


def costing(output: int) -> PriceRow:
    return PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=output))


def test_tiers_prices_and_order_are_taken_as_the_vendors_own_ranking() -> None:
    assert prior() == pytest.approx(0.80)
    assert prior(replace(CARD, tier=2)) == pytest.approx(0.70)
    assert prior(replace(CARD, tier=3)) == pytest.approx(0.55)
    assert prior(replace(CARD, tier=9)) == pytest.approx(0.50)
    assert prior(row=costing(10 * USD)) == pytest.approx(0.90)
    assert prior(row=costing(1)) == pytest.approx(0.65)
    assert prior(row=FREE) == pytest.approx(0.80)
    assert prior(position=2) == pytest.approx(0.77)
    assert prior(position=99) == pytest.approx(0.68)


def test_reasoning_search_and_a_crowded_context_count() -> None:
    reasoning = replace(CARD, capabilities=PLAIN | {Capability.REASONING})
    assert prior(reasoning, task="debugging") == pytest.approx(0.86)
    assert prior(reasoning, task="chat") == pytest.approx(0.80)
    search = replace(CARD, capabilities=frozenset({Capability.VISION}))
    assert prior(search, task="code_generation") == pytest.approx(0.65)
    assert prior(search, task="documentation") == pytest.approx(0.80)
    assert prior(tokens=50_001) == pytest.approx(0.75)


@given(st.integers(-5, 9), st.integers(1, 10**15), st.sampled_from(["chat", "debugging", "code_generation"]))
@settings(max_examples=60)
def test_a_prior_is_never_certainty(tier: int, output: int, task: str) -> None:
    card = replace(CARD, tier=tier, capabilities=frozenset({Capability.REASONING}))
    assert 0.05 <= prior(card, costing(output), task=task, tokens=99_999, position=20) <= 0.98


def test_the_expected_answer_hangs_on_the_task_and_keeps_within_the_limits() -> None:
    reasoning = replace(CARD, capabilities=frozenset({Capability.REASONING}))
    assert expected_output(CARD, task_type="code_generation", max_tokens=None) == 1_500
    assert expected_output(CARD, task_type="unheard_of", max_tokens=None) == 800
    assert expected_output(reasoning, task_type="chat", max_tokens=None) == 800
    assert expected_output(CARD, task_type="chat", max_tokens=100) == 100
    assert expected_output(replace(CARD, max_output_tokens=50), task_type="chat", max_tokens=10_000) == 50


def test_smaller_models_are_assumed_to_be_faster() -> None:
    speeds = [speed(replace(CARD, tier=tier)) for tier in (1, 2, 3)]
    assert [each.first_byte_ms for each in speeds] == sorted((each.first_byte_ms for each in speeds), reverse=True)
    assert [each.tokens_per_second for each in speeds] == sorted(each.tokens_per_second for each in speeds)
    assert speed(replace(CARD, tier=7)) == speeds[0]
