"""The running process never goes on with a price that was replaced, nor with a markup that is over."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.bootstrap.prices import CurrentPrices, begin_charging, installed
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates

START = datetime(2026, 11, 23, tzinfo=UTC)
SOON = timedelta(hours=3)
SCHEDULE = installed(PROVIDERS, START)


class SetClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def other_book() -> PriceBook:
    return PriceBook.of([PriceRow(provider="openai", model="gpt-5", rates=Rates.of(input=1, output=2))])


def test_the_book_stays_the_same_object_until_its_last_moment_and_is_then_replaced() -> None:
    clock = SetClock()
    prices = CurrentPrices(lambda: SCHEDULE, clock)
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
    prices = CurrentPrices(lambda: SCHEDULE, clock)
    clock.time = START + timedelta(days=400)
    assert prices().book.id == load_price_book(PROVIDERS, clock.time).id


def test_a_markup_begins_and_ends_at_its_moments_without_a_new_book() -> None:
    clock = SetClock()
    rules = (MarkupRule(basis_points=900, provider="groq", starts_at=START + SOON, ends_at=START + 2 * SOON),)
    prices = CurrentPrices(lambda: SCHEDULE, clock, markup=1_500, rules=lambda: rules)
    before, found = prices(), []
    for moment in (START + SOON - timedelta(microseconds=1), START + SOON, START + 2 * SOON):
        clock.time = moment
        found.append(prices().basis_points("", "groq", "llama"))
        assert prices() is prices()
        assert prices().book is before.book
    assert found == [1_500, 900, 1_500]


def test_a_rule_that_is_set_counts_from_the_next_request_on() -> None:
    clock, known = SetClock(), list[tuple[MarkupRule, ...]]([()])
    prices = CurrentPrices(lambda: SCHEDULE, clock, markup=1_500, rules=lambda: known[-1])
    first = prices()
    assert prices() is first
    known.append((MarkupRule(basis_points=100, plan="pro", starts_at=START),))
    second = prices()
    assert second is not first
    assert second.book is first.book
    assert (second.basis_points("pro", "openai", "x"), second.basis_points("", "openai", "x")) == (100, 1_500)


def test_a_book_that_is_activated_counts_from_the_next_request_on() -> None:
    clock, known = SetClock(), [SCHEDULE]
    prices = CurrentPrices(lambda: known[-1], clock)
    first = prices()
    known.append(((START, other_book()),))
    assert prices().book.id == other_book().id != first.book.id


@pytest.mark.parametrize(("automatic", "charged"), [(True, "installed"), (False, "activated")])
async def test_the_first_start_activates_what_is_installed_and_a_later_one_if_it_is_automatic(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, automatic: bool, charged: str
) -> None:
    signer = signer_of(Ed25519PrivateKey.generate())
    storage = await open_storage(tmp_path / "books.db", signer=signer, clock=SystemClock())
    try:
        books, first = storage.price_books, ((START, other_book()),)
        await begin_charging(books, first, START, automatic=automatic)
        await begin_charging(books, first, START + SOON, automatic=automatic)
        assert [each.by for each in await books.activations()] == ["gateway"]
        await begin_charging(books, SCHEDULE, START + SOON, automatic=automatic)
        expected = {"installed": SCHEDULE[0][1].id, "activated": other_book().id}[charged]
        assert books.known[0][1].id == expected
        assert ("differs from the activated book" in caplog.text) is not automatic
    finally:
        await storage.close()
