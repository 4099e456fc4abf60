"""The running process never goes on with a price that was replaced, nor with a markup that is over."""

from datetime import UTC, datetime, timedelta

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.bootstrap.gateway import PROVIDERS
from monkey_coder_server.bootstrap.prices import CurrentPrices
from monkey_coder_server.domain.markup import MarkupRule

START = datetime(2026, 11, 23, tzinfo=UTC)
SOON = timedelta(hours=3)


class SetClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def test_the_book_stays_the_same_object_until_its_last_moment_and_is_then_replaced() -> None:
    clock = SetClock()
    prices = CurrentPrices(PROVIDERS, clock)
    first = prices()
    assert first.book.valid_until is not None, "the price source announces no change; choose an earlier START"
    ends = datetime.fromisoformat(first.book.valid_until).replace(tzinfo=UTC)
    clock.time = ends - timedelta(microseconds=1)
    assert prices() is first
    clock.time = ends
    second = prices()
    assert second is prices()
    assert second.book.id == load_price_book(PROVIDERS, ends).id != first.book.id
    assert second.book.valid_until is None or second.book.valid_until > first.book.valid_until


def test_a_process_that_slept_over_several_changes_takes_the_latest() -> None:
    clock = SetClock()
    prices = CurrentPrices(PROVIDERS, clock)
    clock.time = START + timedelta(days=400)
    assert prices().book.id == load_price_book(PROVIDERS, clock.time).id


def test_a_markup_begins_and_ends_at_its_moments_without_a_new_book() -> None:
    clock = SetClock()
    rules = (MarkupRule(basis_points=900, provider="groq", starts_at=START + SOON, ends_at=START + 2 * SOON),)
    prices = CurrentPrices(PROVIDERS, clock, markup=1_500, rules=lambda: rules)
    before, found = prices(), []
    for moment in (START + SOON - timedelta(microseconds=1), START + SOON, START + 2 * SOON):
        clock.time = moment
        found.append(prices().basis_points("", "groq", "llama"))
        assert prices() is prices()
        assert prices().book is before.book
    assert found == [1_500, 900, 1_500]


def test_a_rule_that_is_set_counts_from_the_next_request_on() -> None:
    clock, known = SetClock(), list[tuple[MarkupRule, ...]]([()])
    prices = CurrentPrices(PROVIDERS, clock, markup=1_500, rules=lambda: known[-1])
    first = prices()
    assert prices() is first
    known.append((MarkupRule(basis_points=100, plan="pro", starts_at=START),))
    second = prices()
    assert second is not first
    assert second.book is first.book
    assert (second.basis_points("pro", "openai", "x"), second.basis_points("", "openai", "x")) == (100, 1_500)
