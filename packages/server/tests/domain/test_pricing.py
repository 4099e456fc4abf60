"""A charge is exact, rounded up once, never above its bound and never zero by accident."""

from fractions import Fraction
from math import ceil
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.pricing import (
    DEAREST_RATE,
    PriceBook,
    PriceRow,
    Rates,
    Tier,
    cache_saving,
    cost,
    cost_and_price,
    own_cost_difference,
    plain_price,
    price,
    rate_usd,
    upper_bound,
)
from monkey_coder_server.domain.usage import Usage

M = 1_000_000


def dollars(text: str) -> int:
    return parse_usd(text)


SONNET = PriceRow(
    provider="anthropic",
    model="claude-sonnet-4-5",
    rates=Rates.of(
        input=dollars("3"),
        output=dollars("15"),
        cache_read=dollars("0.3"),
        cache_write_5m=dollars("3.75"),
        cache_write_1h=dollars("6"),
    ),
    tiers=(Tier(200_000, Rates.of(input=dollars("6"), output=dollars("22.5"), cache_read=dollars("0.6"))),),
    fees={"web_searches": dollars("0.01")},
    source="test",
)
SONAR = PriceRow(
    provider="perplexity",
    model="sonar",
    rates=Rates.of(input=dollars("1"), output=dollars("1")),
    fees={"requests": dollars("0.012")},
    own_cost_wins=True,
)

RATE = st.integers(1, 200 * 1_000_000_000)
RATES = st.builds(
    Rates.of,
    input=RATE,
    output=RATE,
    cache_read=st.none() | RATE,
    cache_write_5m=st.none() | RATE,
    cache_write_1h=st.none() | RATE,
    reasoning=st.none() | RATE,
)
ROWS = st.builds(
    PriceRow,
    provider=st.just("p"),
    model=st.just("m"),
    rates=RATES,
    tiers=st.lists(st.builds(Tier, st.integers(1, 500_000), RATES), max_size=2, unique_by=lambda tier: tier.above).map(
        lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above))
    ),
    fees=st.just({}) | st.just({"requests": 12_000_000}),
)
COUNT = st.integers(0, 400_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    output = draw(COUNT)
    buckets = draw(st.tuples(COUNT, COUNT, COUNT, COUNT))
    return Usage(*buckets, output=output, reasoning=draw(st.integers(0, output)))


@given(ROWS, usages(), st.integers(0, 50_000))
@settings(max_examples=100)
def test_the_price_is_the_exact_cost_with_markup_rounded_up_once(row: PriceRow, usage: Usage, markup: int) -> None:
    rates = row.rates_for(usage.input)
    exact = Fraction(row.fees.get("requests", 0)) + sum(
        Fraction(number * rate, M)
        for number, rate in (
            (usage.uncached_input, rates.input),
            (usage.cache_read, rates.cache_read),
            (usage.cache_write_5m, rates.cache_write_5m),
            (usage.cache_write_1h, rates.cache_write_1h),
            (usage.output - usage.reasoning, rates.output),
            (usage.reasoning, rates.reasoning),
        )
    )
    assert cost(row, usage) == ceil(exact)
    assert price(row, usage, markup) == ceil(exact * (10_000 + markup) / 10_000)
    assert price(row, usage, 0) == cost(row, usage)
    assert cost_and_price(row, usage, markup) == (cost(row, usage), price(row, usage, markup))


@given(ROWS, usages(), st.integers(0, 50_000), st.tuples(COUNT, COUNT))
@settings(max_examples=100)
def test_no_usage_within_the_bounds_costs_more_than_the_upper_bound(
    row: PriceRow, usage: Usage, markup: int, more: tuple[int, int]
) -> None:
    more_input, more_output = more
    bound = upper_bound(row, usage.input + more_input, usage.output + more_output, markup_basis_points=markup)
    assert price(row, usage, markup) <= bound


@given(ROWS, COUNT, COUNT, st.integers(0, 50_000))
@settings(max_examples=60)
def test_the_plain_price_is_the_price_of_plain_usage(row: PriceRow, prompt: int, output: int, markup: int) -> None:
    plain = plain_price(row, prompt, output, markup_basis_points=markup)
    assert plain == price(row, Usage(uncached_input=prompt, output=output), markup)


def test_one_cached_token_at_a_tenth_of_a_cent_is_not_lost_nor_doubled() -> None:
    assert cost(SONNET, Usage(cache_read=1)) == 300
    assert price(SONNET, Usage(cache_read=1), 1_500) == 345
    cheap = PriceRow(provider="p", model="m", rates=Rates.of(input=12_500_000, output=1))
    assert cost(cheap, Usage(uncached_input=1)) == 13
    assert price(cheap, Usage(uncached_input=1), 2_000) == 15  # of 12.5, not of the 13 already rounded


def test_a_long_prompt_pays_the_higher_tier_for_every_token() -> None:
    assert cost(SONNET, Usage(uncached_input=200_000)) == 200_000 * 3_000
    assert cost(SONNET, Usage(uncached_input=100_001, cache_read=100_000)) == 100_001 * 6_000 + 100_000 * 600
    assert cost(SONNET, Usage(uncached_input=200_001, output=10)) == 200_001 * 6_000 + 10 * 22_500


def test_the_bound_reckons_with_a_tier_as_soon_as_it_can_be_reached() -> None:
    assert upper_bound(SONNET, 200_000, 10) == 200_000 * 6_000 + 10 * 15_000
    assert upper_bound(SONNET, 200_001, 10) == 200_001 * 6_000 + 10 * 22_500


def test_fees_are_billed_by_the_piece_under_the_providers_own_unit_names() -> None:
    searched = Usage(units=MappingProxyType({"web_search_requests": 3, "web_searches": 1, "unheard_of": 9}))
    assert cost(SONNET, searched) == 4 * 10_000_000


def test_perplexitys_own_cost_is_the_bill_unless_it_claims_nothing() -> None:
    usage = Usage(uncached_input=12, output=90, cost_nano=5_102_000)
    assert cost(SONAR, usage) == 5_102_000
    assert price(SONAR, usage, 1_000) == 5_612_200
    assert cost(SONAR, Usage(uncached_input=12, output=90, cost_nano=0)) == 12_000_000 + 102_000
    assert cache_saving(SONAR, usage, 0) == 0


def test_an_own_cost_elsewhere_is_only_compared() -> None:
    usage = Usage(uncached_input=100, cost_nano=300_001)
    assert cost(SONNET, usage) == 300_000
    assert own_cost_difference(SONNET, usage) == 1
    assert own_cost_difference(SONNET, Usage(uncached_input=100)) is None


def test_cache_saving_counts_reads_and_subtracts_dearer_writes() -> None:
    assert cache_saving(SONNET, Usage(cache_read=1_000), 0) == 1_000 * 2_700
    assert cache_saving(SONNET, Usage(cache_write_1h=1_000), 0) == -1_000 * 3_000


def test_what_a_price_list_leaves_out_costs_as_plain_input_or_output() -> None:
    rates = Rates.of(input=5, output=7)
    assert rates == Rates(input=5, cache_read=5, cache_write_5m=5, cache_write_1h=5, output=7, reasoning=7)
    assert Rates.of(input=5, output=7, cache_write_5m=6).cache_write_1h == 6


def test_the_bound_includes_request_fee_and_allowance() -> None:
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=M, output=M), fees={"requests": 5}, allowance=7)
    assert upper_bound(row, 10, 20) == 42
    assert upper_bound(row, 10, 20, markup_basis_points=5_000) == 63


@pytest.mark.parametrize(
    ("rates", "more", "why"),
    [
        (Rates.of(input=0, output=5), {}, "is 0 and it is not called free"),
        (Rates.of(input=5, output=0), {}, "is 0 and it is not called free"),
        (Rates.of(input=-1, output=5), {}, "negative or absurd"),
        (Rates.of(input=5, output=DEAREST_RATE + 1), {}, "negative or absurd"),
        (Rates.of(input=5, output=5), {"free": True}, "called free and has a price"),
        (Rates.of(input=0, output=5), {"free": True}, "called free and has a price"),
        (Rates.of(input=0, output=0), {"input_only": True}, "is 0 and it is not called free"),
        (Rates.of(input=5, output=5), {"input_only": True}, "a price for output and writes none"),
        (Rates.of(input=5, output=5), {"fees": {"requests": -1}}, "a fee is negative"),
        (Rates.of(input=5, output=5), {"allowance": -1}, "a fee is negative"),
        (Rates.of(input=5, output=5), {"tiers": (Tier(9, Rates.of(input=0, output=1)),)}, "is 0 and it is not called"),
        (Rates.of(input=5, output=5), {"tiers": (Tier(0, Rates.of(input=1, output=1)),)}, "out of order"),
    ],
)
def test_a_price_nobody_can_trust_cannot_exist(rates: Rates, more: dict[str, object], why: str) -> None:
    with pytest.raises(PriceUnknown, match=why):
        PriceRow(provider="p", model="m", rates=rates, **more)  # type: ignore[arg-type] # fields vary by case


def test_tiers_must_ascend() -> None:
    tiers = (Tier(9, Rates.of(input=1, output=1)), Tier(8, Rates.of(input=2, output=2)))
    with pytest.raises(PriceUnknown, match="out of order"):
        PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1), tiers=tiers)


def test_a_free_model_must_say_so_and_costs_nothing() -> None:
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=0, output=0), free=True)
    assert price(row, Usage(uncached_input=5, output=5), 1_500) == 0


def test_a_model_that_writes_nothing_has_a_price_for_input_alone() -> None:
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=20_000_000, output=0), input_only=True)
    assert price(row, Usage(uncached_input=4), 500) == 84
    assert upper_bound(row, 1_000, 0) == 20_000


def test_a_book_finds_rows_and_says_why_one_is_missing() -> None:
    book = PriceBook.of([SONNET, SONAR], {("openai", "tts-1"): "it has no token price"})
    assert book.row("perplexity", "sonar") is SONAR
    with pytest.raises(PriceUnknown, match="openai/tts-1 cannot be used: it has no token price"):
        book.row("openai", "tts-1")
    with pytest.raises(PriceUnknown, match="no price is known for it") as caught:
        book.row("openai", "gpt-99")
    assert caught.value.facts == {"model": "openai/gpt-99", "reason": "no price is known for it"}


def test_equal_books_have_equal_ids_and_any_change_shows() -> None:
    assert PriceBook.of([SONNET, SONAR]).id == PriceBook.of([SONAR, SONNET]).id
    dearer = PriceRow(provider="perplexity", model="sonar", rates=Rates.of(input=dollars("1"), output=dollars("1.01")))
    assert PriceBook.of([SONNET, dearer]).id != PriceBook.of([SONNET, SONAR]).id
    assert PriceBook.of([SONAR, dearer]).rows == {("perplexity", "sonar"): dearer}


def test_a_book_knows_when_its_first_price_ends() -> None:
    ending = PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1), effective_until="2027-01-01")
    assert PriceBook.of([SONNET]).valid_until is None
    assert PriceBook.of([SONNET, ending]).valid_until == "2027-01-01"


def test_rates_are_shown_as_dollars_per_million_tokens() -> None:
    assert rate_usd(SONNET.rates.cache_read) == "0.30"
    assert SONNET.name == "anthropic/claude-sonnet-4-5"
