"""Provider-cost books: answer by answer, corrected by entries of their own, never rewritten."""

from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.invoices import Tokens
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.invoices import IN_ANSWERS, Correction, Reconciliation
from monkey_coder_server.ports.ledger import Bill
from packages.server.tests.contract.booking import NOON, hold_request, settle

DAY = NOON.date()


async def spend(store: Storage, *, estimated: bool = False) -> str:
    """A request with a wasted answer at one provider and one that was served by another."""
    asked = hold_request(900)
    await store.books.place(asked)
    served = Usage(100, 20, 3, 4, 30, 10, {"web_search_calls": 2}, 555, estimated)
    bills = (Bill("openai", "gpt-5", served, 400, "up_1"), Bill("xai", "grok-4", Usage(5, output=1), 100, "up_2"))
    await settle(store.books, asked, usage=served, elsewhere={"xai": 100}, bills=bills)
    return f"settle:{asked.request_id}"


async def test_each_answer_stands_with_its_provider_under_its_id(funded: Storage) -> None:
    booked_by = await spend(funded)
    [row] = await funded.costs.costs("openai", DAY, DAY, by_request=True)
    assert (row.transaction_id, row.line, row.day, row.model) == (booked_by, 0, "2026-11-22", "gpt-5")
    assert row.tokens == Tokens(100, 20, 3, 4, 30, 10, 2)
    assert (row.amount, row.reported, row.provider_request_id, row.estimated) == (400, 555, "up_1", False)
    [other] = await funded.costs.costs("xai", DAY, DAY, by_request=True)
    assert (other.line, other.amount, other.provider_request_id) == (1, 100, "up_2")
    assert (await funded.ledger.verify()).sound


async def test_sums_of_a_day_leave_estimates_apart(funded: Storage) -> None:
    await spend(funded)
    await spend(funded)
    estimated = await spend(funded, estimated=True)
    sums, apart = await funded.costs.costs("openai", DAY, DAY, by_request=False)
    assert (sums.requests, sums.amount, sums.tokens.output, sums.estimated) == (2, 800, 60, False)
    assert (apart.transaction_id, apart.amount, apart.estimated, apart.requests) == (estimated, 400, True, 1)
    assert await funded.costs.costs("openai", DAY + timedelta(days=1), DAY + timedelta(days=2), by_request=False) == []


async def test_a_correction_is_an_entry_of_its_own_and_is_booked_once(funded: Storage) -> None:
    booked_by = await spend(funded, estimated=True)
    correction = Correction("openai", booked_by, 0, -150, "file may.csv", NOON)
    assert await funded.costs.correct(correction) is True
    assert await funded.costs.correct(correction) is False
    [row] = await funded.costs.costs("openai", DAY, DAY, by_request=True)
    assert (row.amount, row.corrected) == (250, True)
    report = await funded.ledger.verify()
    assert report.sound, report.details
    assert report.totals["provider_payable"] == 350
    with pytest.raises(NotFound, match="none can be corrected"):
        await funded.costs.correct(Correction("openai", "settle:req_none", 0, 1, "file", NOON))


async def test_the_newest_comparison_of_each_provider_is_remembered(funded: Storage) -> None:
    for number, provider in enumerate(("xai", "openai", "xai")):
        at = NOON + timedelta(minutes=number)
        made = Reconciliation(f"rec_{number}", provider, "d", "d", at, "file", 9, 8, number, number, "{}")
        await funded.costs.note(made)
    latest = await funded.costs.latest()
    assert [(made.provider, made.unexplained, made.report) for made in latest] == [("openai", 1, ""), ("xai", 2, "")]


async def test_what_answers_said_hides_no_invoice_and_is_kept_once(store: Storage) -> None:
    for number, source in enumerate(("file", IN_ANSWERS, IN_ANSWERS)):
        at = NOON + timedelta(minutes=number)
        made = Reconciliation(f"rec_{number}", "xai", "d", "d", at, source, 9, 8, number, number, "{}")
        await store.costs.note(made)
        await store.costs.note(made)
    assert [(made.source, made.unexplained) for made in await store.costs.latest()] == [("file", 0), (IN_ANSWERS, 2)]
    assert [await store.costs.noted(name) for name in ("rec_1", "rec_3")] == [True, False]
