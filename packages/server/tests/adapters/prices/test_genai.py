"""The price book says what the source says, to the nano-dollar, or says why it does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from importlib.metadata import version
from math import ceil
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices import types as source
from hypothesis import given, settings
from hypothesis import strategies as st

import monkey_coder_server.providers as provider_package
from monkey_coder_server.adapters.prices import genai
from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.adapters.prices.stated import Period, Price, Stated, StatedModel
from monkey_coder_server.domain.catalog import Kind, ModelCard
from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.pricing import PriceBook, Rates, Tier, cost
from monkey_coder_server.domain.usage import USAGE_RULES, Usage
from monkey_coder_server.ports.provider import Provider

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def provider(name: str, prices_id: str, *models: str) -> Provider:
    cards = tuple(ModelCard(name, model, model, 128_000, 16_000, frozenset(), 2) for model in models)
    return Provider(
        name=name,
        label=name,
        dialect=SimpleNamespace(),
        base_url="",
        key_variable="",
        base_url_variable="",
        prices_id=prices_id,
        usage_rule=USAGE_RULES[name],
        cards=cards,
    )


def served() -> list[Provider]:
    """Every provider the gateway has."""
    names = [module.name for module in iter_modules(provider_package.__path__)]
    modules = [import_module(f"monkey_coder_server.providers.{name}") for name in names]
    return [module.PROVIDER for module in modules if hasattr(module, "PROVIDER")]


def usd_rates(**rates: str) -> Rates:
    return Rates.of(**{bucket: parse_usd(text) for bucket, text in rates.items()})


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], PriceBook]:
    """A source that holds one model `m` of provider `openai`, with the prices a test gives it."""

    def with_prices(prices: Any) -> PriceBook:
        model = source.ModelInfo(id="m", match=source.ClauseEquals("m"))
        model.prices = prices
        monkeypatch.setattr(genai, "_models", lambda: {"openai": (model,)})
        return load_price_book([provider("openai", "openai", "m")], NOW)

    return with_prices


def test_every_model_the_gateway_serves_has_a_price() -> None:
    book = load_price_book(served(), NOW)
    assert dict(book.refused) == {}
    assert {row.provider for row in book.rows.values()} == set(USAGE_RULES)
    for each in served():
        for card in each.cards:
            assert book.row(each.name, card.model).rates.output > 0
        for card in each.other_cards:
            row = book.row(each.name, card.model)
            assert (row.free, row.input_only) == (card.kind is Kind.MODERATION, card.kind is Kind.EMBEDDINGS)
            assert (row.rates.input > 0, row.rates.output) == (card.kind is Kind.EMBEDDINGS, 0)


def test_a_model_is_free_only_where_its_vendor_says_so_and_the_row_names_the_place() -> None:
    book = load_price_book(served(), NOW)
    row = book.row("openai", "omni-moderation-latest")
    assert "free of charge" in row.source
    nameless = ModelCard("openai", "omni-moderation-next", "", 1, 0, frozenset(), 1, kind=Kind.MODERATION)
    (openai,) = [each for each in served() if each.name == "openai"]
    with pytest.raises(PriceUnknown):
        load_price_book([replace(openai, other_cards=(nameless,))], NOW).row("openai", "omni-moderation-next")


def test_the_models_are_priced_as_the_source_itself_reckons() -> None:
    book = load_price_book(served(), NOW)
    for each in served():
        for card in (*each.cards, *(card for card in each.other_cards if card.kind is Kind.EMBEDDINGS)):
            model = genai._find(each.prices_id, card.model)
            row = book.row(each.name, card.model)
            for prompt in (1_000, 199_999, 200_000, 200_001, 272_001, 900_000):
                reckoned = _reckon(model, prompt, 77)
                requests = Decimal(row.fees.get("requests", 0))
                assert cost(row, Usage(uncached_input=prompt, output=77)) == ceil(Fraction(reckoned * 10**9 + requests))


def _reckon(model: source.ModelInfo, prompt: int, output: int) -> Decimal:
    """The token price by the source's own arithmetic."""
    prices = model.get_prices(NOW)
    per_input = source.calc_unit_price(prices.input_mtok, prompt, prompt, 1_000_000)
    if prices.output_mtok is None:  # embeddings
        return per_input
    return per_input + source.calc_unit_price(prices.output_mtok, output, prompt, 1_000_000)


def test_cache_prices_tiers_dates_and_fees_are_taken_over() -> None:
    book = load_price_book(
        [
            provider("anthropic", "anthropic", "claude-sonnet-4-5", "claude-opus-4-6"),
            provider("google", "google", "gemini-2.5-pro", "gemini-3.8-flash"),
            provider("perplexity", "perplexity", "sonar", "sonar-deep-research"),
            provider("groq", "groq", "openai/gpt-oss-120b"),
        ],
        NOW,
    )
    sonnet = book.row("anthropic", "claude-sonnet-4-5")
    assert sonnet.rates == usd_rates(
        input="3", output="15", cache_read="0.3", cache_write_5m="3.75", cache_write_1h="6"
    )
    (tier,) = sonnet.tiers
    assert tier == Tier(
        200_000,
        usd_rates(input="6", output="22.5", cache_read="0.6", cache_write_5m="7.5", cache_write_1h="12"),
    )
    assert sonnet.fees == {"web_searches": 10_000_000}
    assert sonnet.source.startswith("genai-prices ")
    assert sonnet.source.endswith(" anthropic/claude-sonnet-4-5")
    opus = book.row("anthropic", "claude-opus-4-6")
    assert (opus.tiers, opus.effective_from) == ((), "2026-03-13")
    assert book.row("google", "gemini-3.8-flash").effective_until == book.valid_until == "2027-01-01"
    assert book.row("perplexity", "sonar").own_cost_wins
    assert book.row("perplexity", "sonar").fees == {"requests": 12_000_000}
    research = book.row("perplexity", "sonar-deep-research")
    assert research.fees == {"web_searches": 5_000_000, "citation_tokens": 2_000}
    assert research.rates.reasoning == 3 * 10**9
    assert research.allowance == 400_000 * 3_000 + 100_000 * 2_000 + 100 * 5_000_000
    assert book.row("groq", "openai/gpt-oss-120b").rates == usd_rates(input="0.15", output="0.6", cache_read="0.075")


def test_what_is_kept_prices_every_model_as_the_package_does_on_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [datetime(2025, 6, 9, tzinfo=UTC), NOW, datetime(2027, 6, 1, tzinfo=UTC)]
    kept = [load_price_book(served(), day) for day in days]
    monkeypatch.setattr(genai, "stated", lambda: Stated(version="none", models={}))
    assert [(book.id, dict(book.refused)) for book in kept] == [
        (book.id, dict(book.refused)) for book in (load_price_book(served(), day) for day in days)
    ]


def test_another_package_than_the_one_it_was_taken_from_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = StatedModel("gpt-5", (Period("", Price(input_mtok=Decimal(7), output_mtok=Decimal(9))),))
    charged = []
    for kept_of in (version("genai-prices"), "0.0.1"):
        kept = Stated(version=kept_of, models={"openai": {"gpt-5": wrong}})
        monkeypatch.setattr(genai, "stated", lambda kept=kept: kept)
        charged.append(load_price_book([provider("openai", "openai", "gpt-5")], NOW).row("openai", "gpt-5").rates)
    assert charged == [usd_rates(input="7", output="9"), usd_rates(input="1.25", output="10", cache_read="0.125")]


def test_a_dated_name_is_priced_as_its_model() -> None:
    book = load_price_book([provider("anthropic", "anthropic", "claude-sonnet-4-5-20250929")], NOW)
    assert book.row("anthropic", "claude-sonnet-4-5-20250929").source.endswith("/claude-sonnet-4-5")


def test_the_price_of_the_day_is_taken() -> None:
    models = provider("openai", "openai", "o3")
    before = load_price_book([models], datetime(2025, 6, 9, tzinfo=UTC)).row("openai", "o3")
    after = load_price_book([models], datetime(2025, 6, 10, tzinfo=UTC)).row("openai", "o3")
    assert (before.rates.input, before.effective_until) == (10 * 10**9, "2025-06-10")
    assert (after.rates.input, after.effective_from, after.effective_until) == (2 * 10**9, "2025-06-10", None)


def test_a_book_is_the_same_wherever_it_is_loaded_and_changes_with_an_override() -> None:
    models = [provider("openai", "openai", "gpt-5")]
    book = load_price_book(models, NOW)
    assert book.id == load_price_book(models, NOW).id
    changed = load_price_book(models, NOW, {"openai/gpt-5": {"input": "1", "output": "2"}})
    assert changed.id != book.id
    assert changed.row("openai", "gpt-5").source.startswith("operator override of genai-prices ")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no-such-model", "the price source does not know it"),
        ("tts-1", "no price for both input and output"),
        ("text-embedding-3-small", "no price for both input and output"),
        ("moderation", "no price for both input and output"),
    ],
)
def test_a_model_without_a_price_is_refused_with_the_reason(name: str, why: str) -> None:
    book = load_price_book([provider("openai", "openai", name)], NOW)
    with pytest.raises(PriceUnknown, match=why):
        book.row("openai", name)


@pytest.mark.parametrize(
    ("prices", "why"),
    [
        ({"input_mtok": Decimal("NaN"), "output_mtok": Decimal(1)}, "not a number"),
        ({"input_mtok": Decimal("Infinity"), "output_mtok": Decimal(1)}, "not a number"),
        ({"input_mtok": 0.5, "output_mtok": Decimal(1)}, "not a number"),
        ({"input_mtok": Decimal(-1), "output_mtok": Decimal(1)}, "negative or absurd"),
        ({"input_mtok": Decimal(0), "output_mtok": Decimal(1)}, "not called free"),
        ({"input_mtok": Decimal("1E-10"), "output_mtok": Decimal(1)}, "finer than a nano-dollar"),
        ({"input_mtok": Decimal(1), "output_mtok": Decimal(1), "requests_kcount": Decimal("1E-8")}, "a piece"),
    ],
)
def test_a_price_that_is_no_exact_positive_number_is_refused(
    invented: Callable[[Any], PriceBook], prices: dict[str, Any], why: str
) -> None:
    price = source.ModelPrice()
    price.__dict__.update(prices)
    with pytest.raises(PriceUnknown, match=rf"^openai/m cannot be used: [^/]*{why}[^/]*\.$"):
        invented(price).row("openai", "m")


def test_a_price_by_the_time_of_day_or_of_the_future_is_refused(invented: Callable[[Any], PriceBook]) -> None:
    price = source.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
    night = source.TimeOfDateConstraint(datetime(2026, 1, 1, 22).time(), datetime(2026, 1, 1, 6).time())  # noqa: DTZ001 - times of day
    with pytest.raises(PriceUnknown, match="time of day"):
        invented([source.ConditionalPrice(night, prices=price)]).row("openai", "m")
    future = source.StartDateConstraint(date(2027, 1, 1))
    with pytest.raises(PriceUnknown, match="no price for it yet"):
        invented([source.ConditionalPrice(future, prices=price)]).row("openai", "m")


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), max_size=3, unique=True), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_tiers_pick_the_same_price_as_the_source(base: int, starts: list[int], prompt: int) -> None:
    tiers = [source.Tier(start, Decimal(number + 1) / 1_000) for number, start in enumerate(sorted(starts))]
    tiered = source.TieredPrices(Decimal(base) / 1_000_000, list(tiers))
    price = source.ModelPrice(input_mtok=tiered, output_mtok=Decimal(1))
    row_rates = [genai._rates(price, 0), *(genai._rates(price, start + 1) for start in genai._starts(price))]
    reached = sum(prompt > start for start in starts)
    assert row_rates[reached].input * prompt == source.calc_unit_price(tiered, prompt, prompt, 1) * 10**9
