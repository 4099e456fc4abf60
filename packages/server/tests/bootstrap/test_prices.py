"""The running process never goes on with a price that was replaced."""

from datetime import UTC, datetime, timedelta

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.bootstrap.gateway import PROVIDERS
from monkey_coder_server.bootstrap.prices import CurrentPrices

START = datetime(2026, 11, 23, tzinfo=UTC)


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
    assert first.valid_until is not None, "the price source announces no change; choose an earlier START"
    ends = datetime.fromisoformat(first.valid_until).replace(tzinfo=UTC)
    clock.time = ends - timedelta(microseconds=1)
    assert prices() is first
    clock.time = ends
    second = prices()
    assert second is prices()
    assert second.id == load_price_book(PROVIDERS, ends).id != first.id
    assert second.valid_until is None or second.valid_until > first.valid_until


def test_a_process_that_slept_over_several_changes_takes_the_latest() -> None:
    clock = SetClock()
    prices = CurrentPrices(PROVIDERS, clock)
    clock.time = START + timedelta(days=400)
    assert prices().id == load_price_book(PROVIDERS, clock.time).id
