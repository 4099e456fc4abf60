"""A kept book is the same book when it is read again."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.price_facts import book_facts, read_book
from monkey_coder_server.domain.price_list import book_at
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates, Tier

RATES = st.builds(
    lambda input_, output, cached, reasoning: Rates.of(
        input=input_, output=output, cache_read=cached, reasoning=reasoning
    ),
    st.integers(1, 10**12),
    st.integers(1, 10**12),
    st.none() | st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
)
ROWS = st.builds(
    lambda model, rates, tiers, fees, own: PriceRow(
        provider="openai",
        model=model,
        rates=rates,
        tiers=tuple(Tier(above, each) for above, each in sorted(tiers.items())),
        fees=fees,
        own_cost_wins=own,
        effective_until="2027-01-01",
    ),
    st.sampled_from(["a", "b", "c/d"]),
    RATES,
    st.dictionaries(st.integers(1, 10**6), RATES, max_size=2),
    st.dictionaries(st.sampled_from(["requests", "web_searches"]), st.integers(0, 10**9)),
    st.booleans(),
)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@given(rows=st.lists(ROWS, max_size=4))
def test_a_book_read_from_its_facts_is_the_same(rows: list[PriceRow]) -> None:
    book = PriceBook.of(rows, {("groq", "x"): "no price is known"})
    again = read_book(json.loads(json.dumps(book_facts(book))))
    assert again.id == book.id
    assert dict(again.rows) == dict(book.rows)
    assert dict(again.refused) == dict(book.refused)


def test_a_schedule_says_which_book_holds_and_until_when() -> None:
    first, second, third = (PriceBook.of([], {("p", "m"): str(number)}) for number in range(3))
    schedule = ((NOON, first), (NOON + DAY, second), (NOON + 2 * DAY, third))
    assert book_at(schedule, NOON - DAY) == (first, NOON + DAY)
    assert book_at(schedule, NOON) == (first, NOON + DAY)
    assert book_at(schedule, NOON + DAY) == (second, NOON + 2 * DAY)
    assert book_at(schedule, NOON + 9 * DAY) == (third, None)
