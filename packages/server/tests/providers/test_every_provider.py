"""What holds for each provider's record, whichever providers there are."""

import pkgutil
from importlib import import_module

import pytest
from genai_prices.data import providers as price_data

from monkey_coder_server import providers
from monkey_coder_server.domain.catalog import Capability, Kind, ModelCard
from monkey_coder_server.domain.model_facts import DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import Provider

ALL: list[Provider] = [
    import_module(f"{providers.__name__}.{module.name}").PROVIDER for module in pkgutil.iter_modules(providers.__path__)
]
CARDS = [(provider, card) for provider in ALL for card in provider.cards]

every_provider = pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.name)
every_card = pytest.mark.parametrize(("provider", "card"), CARDS, ids=[card.name for _, card in CARDS])


def test_the_seven_providers_are_there() -> None:
    names = {provider.name for provider in ALL}
    assert {"openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot"} <= names
    said = [name for provider in ALL for name in (provider.name, *provider.aliases)]
    assert len(said) == len(set(said))


@every_provider
def test_a_provider_is_reached_and_configured_as_its_sdk_means_it(provider: Provider) -> None:
    upper = provider.name.upper()
    assert (provider.key_variable, provider.base_url_variable) == (f"{upper}_API_KEY", f"{upper}_BASE_URL")
    assert provider.base_url.startswith("https://")
    assert not provider.base_url.endswith("/")
    assert provider.usage_rule == USAGE_RULES[provider.name]


@every_provider
def test_a_provider_offers_distinct_models_the_best_first(provider: Provider) -> None:
    assert len(provider.cards) >= 4
    said = [name for card in provider.cards for name in (card.model, *card.aliases)]
    assert len(said) == len(set(said))
    assert provider.cards[0].tier <= min(card.tier for card in provider.cards) + 1


@every_card
def test_a_card_is_complete_and_says_where_its_facts_are_from(provider: Provider, card: ModelCard) -> None:
    assert card.provider == provider.name
    assert 0 < card.max_output_tokens <= card.context_window
    assert Capability.STREAMING in card.capabilities
    assert card.tier in {1, 2, 3}
    assert card.source
    assert card.checked.startswith("2026-")


@pytest.mark.parametrize(
    ("provider", "card"),
    [pytest.param(provider, card, id=card.name) for provider in ALL for card in provider.other_cards],
)
def test_a_card_for_other_work_is_of_its_kind_and_spoken_to_in_a_format_for_it(
    provider: Provider, card: ModelCard
) -> None:
    assert card.provider == provider.name
    assert card.kind is not Kind.CHAT
    assert card.max_output_tokens == 0
    assert card.source
    assert card.checked.startswith("2026-")
    spoken = "openai-moderations" if card.kind is Kind.MODERATION else "openai-embeddings"
    assert provider.dialect_for(card.model, spoken) is not provider.dialect
    assert not {card.model} & {chat.model for chat in provider.cards}


@every_card
def test_a_cards_model_has_a_price(provider: Provider, card: ModelCard) -> None:
    priced = next(entry for entry in price_data if entry.id == provider.prices_id)
    (model,) = [entry for entry in priced.models if entry.is_match(card.model)]
    prices = model.prices if not isinstance(model.prices, list) else model.prices[-1].prices
    assert prices.input_mtok
    assert prices.output_mtok
    if model.context_window is not None:
        assert abs(card.context_window - model.context_window) <= 0.05 * model.context_window


@every_provider
def test_a_model_is_spoken_to_in_a_format_its_provider_speaks(provider: Provider) -> None:
    spoken = {dialect.name for dialect in (provider.dialect, *provider.further_dialects)}
    assert set(provider.spoken_to_in.values()) <= spoken
    assert set(provider.usage_rules) <= spoken
    assert set(provider.spoken_to_in) <= {card.model for card in provider.offers}


def test_xai_counts_reasoning_by_the_format_it_is_asked_in() -> None:
    xai = next(provider for provider in ALL if provider.name == "xai")
    assert not xai.usage_rule_for("grok-4.7", None).reasoning_inside_output
    assert not xai.usage_rule_for("grok-4.7", "gemini").reasoning_inside_output
    assert xai.usage_rule_for("grok-4.7", "openai-responses").reasoning_inside_output


@every_provider
def test_what_a_provider_does_with_data_is_said_with_its_source(provider: Provider) -> None:
    data = provider.data
    if data.policies:
        assert data.source.startswith("https://")
        assert data.checked.startswith("2026-")
    if DataPolicy.ZERO_RETENTION in data.policies:
        assert DataPolicy.RETENTION_30_DAYS in data.policies, "what is not kept is not kept for long"
