"""The sandbox's books: exact prices, each provider's rules, one rounding."""

from fractions import Fraction

import pytest
from genai_prices import Usage as PublishedUsage
from genai_prices import calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.sandbox import catalog, pricing
from monkey_coder_server.sandbox.catalog import Card, Price
from monkey_coder_server.sandbox.exchange import Usage
from monkey_coder_server.sandbox.tally import Entry, Outcome, Tally
from packages.server.tests.sandbox.simulating import MODELS, PRICED_AT

TOKENS = st.integers(min_value=0, max_value=400_000)


def card(provider: str, model: str) -> Card:
    found = catalog.find(provider, model, PRICED_AT)
    assert found is not None
    return found


def test_cached_openai_input_pays_the_cached_price() -> None:
    usage = Usage(uncached=1_000, cache_read=2_000, output=100, reasoning=50)
    assert pricing.bill(card("openai", "gpt-5"), usage).nanos == 1_000 * 1_250 + 2_000 * 125 + 150 * 10_000


def test_anthropic_pays_each_kind_of_cache_write() -> None:
    usage = Usage(uncached=10, cache_read=1_000, cache_write_5m=100, cache_write_1h=200, output=5)
    expected = 10 * 3_000 + 1_000 * 300 + 100 * 3_750 + 200 * 6_000 + 5 * 15_000
    assert pricing.bill(card("anthropic", "claude-sonnet-4-5"), usage).nanos == expected


@pytest.mark.parametrize(("prompt", "price"), [(200_000, 1_250), (200_001, 2_500)])
def test_a_gemini_prompt_beyond_the_tier_pays_the_tier_throughout(prompt: int, price: int) -> None:
    output = 10_000 if price == 1_250 else 15_000
    bill = pricing.bill(card("google", "gemini-2.5-pro"), Usage(uncached=prompt, output=3, reasoning=4))
    assert bill.nanos == prompt * price + 7 * output


def test_perplexity_adds_its_fee_per_request() -> None:
    assert pricing.bill(card("perplexity", "sonar"), Usage(uncached=1, output=1)).nanos == 2_000 + 12_000_000


def test_perplexity_research_pays_searches_citations_and_reasoning_apart() -> None:
    usage = Usage(uncached=1, output=1, reasoning=10, citation=10, searches=2)
    expected = 2_000 + 8_000 + 10 * 3_000 + 10 * 2_000 + 2 * 5_000_000
    assert pricing.bill(card("perplexity", "sonar-deep-research"), usage).nanos == expected


def test_a_request_is_rounded_up_once() -> None:
    half = Price(Fraction(1, 2))
    priced = Card(
        "x", "m", "m", 1, 1, reasons=False, responses_only=False, prices={"input_mtok": half, "output_mtok": half}
    )
    assert pricing.bill(priced, Usage(uncached=1, output=1)).nanos == 1
    assert pricing.bill(priced, Usage(uncached=1, output=2)).nanos == 2


@given(st.sampled_from(["openai", "anthropic", "google", "groq", "xai", "moonshot"]), TOKENS, TOKENS, TOKENS, TOKENS)
@settings(max_examples=60)
def test_bills_agree_with_the_price_data_s_own_arithmetic(
    provider: str, uncached: int, read: int, output: int, reasoning: int
) -> None:
    priced = card(provider, MODELS[provider])
    read = read if priced.caches else 0
    published = calc_price(
        PublishedUsage(input_tokens=uncached + read, cache_read_tokens=read, output_tokens=output + reasoning),
        MODELS[provider],
        provider_id=catalog.PRICE_PROVIDER[provider],
        genai_request_timestamp=PRICED_AT,
    )
    usage = Usage(uncached=uncached, cache_read=read, output=output, reasoning=reasoning)
    assert pricing.bill(priced, usage).exact == Fraction(published.total_price) * 10**9


def entry(outcome: Outcome, cost: int, unbilled: int = 0) -> Entry:
    return Entry(
        serial=1,
        provider="openai",
        model="gpt-5",
        answer_id="a",
        request_id="r",
        status=200,
        outcome=outcome,
        stream=True,
        fault="",
        usage=Usage(uncached=3, output=2),
        cost_nanos=cost,
        began=PRICED_AT,
        at=PRICED_AT,
        unbilled_nanos=unbilled,
    )


def test_totals_separate_what_is_billed_from_what_broke() -> None:
    tally = Tally()
    for item in (entry("served", 5), entry("abandoned", 2), entry("faulted", 0, 9), entry("error", 0)):
        tally.add(item)
    overall = tally.document()["overall"]
    assert (overall["cost_nanos"], overall["abandoned_nanos"], overall["faulted_nanos"]) == (7, 2, 9)
    assert (overall["requests"], overall["served"], overall["error"]) == (4, 1, 1)
    assert overall["tokens"]["uncached"] == 6
    assert tally.cost_nanos("openai") == tally.cost_nanos() == 7
    assert tally.cost_nanos("groq") == 0


def test_only_chat_models_are_known() -> None:
    assert catalog.find("openai", "text-embedding-3-small", PRICED_AT) is None
    assert catalog.find("google", "claude-sonnet-4-5", PRICED_AT) is None
    assert catalog.find("openai", "no-such-model", PRICED_AT) is None
    for provider, model in MODELS.items():
        assert catalog.names(provider, PRICED_AT)
        assert card(provider, model).prices["input_mtok"].base > 0
