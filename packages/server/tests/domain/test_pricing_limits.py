"""The borders of what can be a price, and what a book's id stands for."""

import pytest

from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates, Tier, cost, plain_price, upper_bound
from monkey_coder_server.domain.usage import Usage

M = 1_000_000


def test_a_million_dollars_per_million_tokens_is_the_most_a_price_can_be() -> None:
    dearest = 1_000_000 * 1_000_000_000
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=dearest), fees={"x": dearest})
    assert (row.rates.output, row.allowance, row.own_cost_wins, row.free, row.input_only) == (dearest, 0, *[False] * 3)
    for wrong in ({"fees": {"x": dearest + 1}}, {"allowance": dearest + 1}):
        with pytest.raises(PriceUnknown, match="a fee is negative or absurd"):
            PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1), **wrong)  # type: ignore[arg-type]  # fields by name
    with pytest.raises(PriceUnknown, match="a price is negative or absurd"):
        PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=dearest + 1))


def test_a_cached_token_may_cost_nothing_and_a_tier_may_begin_at_the_first_token() -> None:
    tier = Tier(1, Rates.of(input=4, output=4, cache_read=0))
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=2 * M, output=2, cache_read=0), tiers=(tier,))
    assert cost(row, Usage(uncached_input=1)) == 2
    assert row.rates_for(2) is tier.rates
    with pytest.raises(PriceUnknown, match="out of order"):
        PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1), tiers=(tier, tier))


def test_the_dearest_tier_within_reach_bounds_even_where_a_longer_prompt_is_cheaper() -> None:
    tier = Tier(10, Rates.of(input=M, output=M))
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=9 * M, output=M, reasoning=3 * M), tiers=(tier,))
    assert upper_bound(row, 20, 5) == 20 * 9 + 5 * 3


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"allowance": 1},
        {"fees": {"requests": 1}},
        {"effective_from": "2026-01-01"},
        {"effective_until": "2027-01-01"},
        {"own_cost_wins": True},
        {"tiers": (Tier(5, Rates.of(input=1, output=1)),)},
    ],
)
def test_whatever_a_price_hangs_on_is_in_the_books_id(change: dict[str, object]) -> None:
    plain = PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1))
    changed = PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=1), **change)  # type: ignore[arg-type]  # fields by name
    ids = {PriceBook.of([row]).id for row in (plain, changed)}
    assert len(ids) == 2
    assert {len(each) for each in ids} == {32}


def test_in_which_order_fees_are_written_makes_no_other_book() -> None:
    fees = ({"requests": 1, "web_searches": 2}, {"web_searches": 2, "requests": 1})
    rates = Rates.of(input=1, output=1)
    books = [PriceBook.of([PriceRow(provider="p", model="m", rates=rates, fees=each)]) for each in fees]
    assert books[0].id == books[1].id


def test_a_book_ends_with_the_first_of_its_prices_that_ends() -> None:
    ends = ("2027-03-01", "2027-01-01", None, "2027-02-01")
    rates = Rates.of(input=1, output=1)
    rows = [PriceRow(provider="p", model=f"m{end}", rates=rates, effective_until=end) for end in ends]
    assert PriceBook.of(rows).valid_until == "2027-01-01"


def test_fees_for_other_things_are_not_for_the_request() -> None:
    row = PriceRow(provider="p", model="m", rates=Rates.of(input=M, output=M), fees={"web_searches": 7})
    assert plain_price(row, 10, 20, markup_basis_points=0) == upper_bound(row, 10, 20) == 30
    assert cost(row, Usage(uncached_input=10, output=20)) == 30
