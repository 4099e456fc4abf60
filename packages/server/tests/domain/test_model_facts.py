"""What rules on models look at: prices as an account pays them, in the dearest tier."""

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.model_facts import UNKNOWN, DataFacts, DataPolicy, facts_of
from monkey_coder_server.domain.pricing import PriceRow, Rates, Tier

CARD = ModelCard("openai", "gpt", "GPT", 100_000, 8_000, frozenset({Capability.TOOLS}), 1)
ROW = PriceRow(
    provider="openai",
    model="gpt",
    rates=Rates.of(input=1_001, output=4_000, reasoning=5_000),
    tiers=(Tier(50_000, Rates.of(input=2_001, output=3_000)),),
)


def test_prices_are_those_of_the_dearest_tier_with_markup_rounded_up() -> None:
    facts = facts_of(CARD, ROW, 1_500, UNKNOWN)
    assert (facts.input_price, facts.output_price) == (2_302, 5_750)
    assert (facts.name, facts.capabilities, facts.policies) == ("openai/gpt", CARD.capabilities, frozenset())


def test_without_a_price_none_is_known() -> None:
    data = DataFacts(frozenset({DataPolicy.NO_TRAINING}), "https://example.com", "2026-11-30")
    facts = facts_of(CARD, None, 0, data)
    assert (facts.input_price, facts.output_price, facts.policies) == (None, None, data.policies)
