"""Every Claude and Gemini model on offer has a price, its manners written down, and a place in the vendor's order."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.providers import anthropic, google

ALL = [*anthropic.PROVIDER.cards, *google.PROVIDER.cards]
TRAITS = {"anthropic": anthropic._TRAITS, "google": google._TRAITS}


@pytest.mark.parametrize("card", ALL, ids=lambda card: card.name)
def test_a_card_is_priced_and_described(card: ModelCard) -> None:
    price = calc_price(
        Usage(input_tokens=1_000, output_tokens=1_000),
        card.model,
        provider_id=card.provider,
        genai_request_timestamp=datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert price.input_price > 0
    assert price.output_price > price.input_price
    assert price.model.context_window is None or price.model.context_window // 100_000 == card.context_window // 100_000
    assert 0 < card.max_output_tokens < card.context_window
    assert card.source
    assert card.checked == "2026-11-23"
    assert Capability.STREAMING in card.capabilities


@pytest.mark.parametrize("provider", [anthropic.PROVIDER, google.PROVIDER], ids=lambda provider: provider.name)
def test_every_model_has_its_manners_and_none_is_named_twice(provider: anthropic.Provider) -> None:
    models = [card.model for card in provider.cards]
    assert len(set(models)) == len(models)
    assert set(TRAITS[provider.name]) == set(models)
    tiers = [card.tier for card in provider.cards]
    assert tiers == sorted(tiers)


def test_usage_is_counted_as_recorded() -> None:
    assert not anthropic.PROVIDER.usage_rule.cached_inside_input
    assert google.PROVIDER.usage_rule.cached_inside_input
    assert not google.PROVIDER.usage_rule.reasoning_inside_output
