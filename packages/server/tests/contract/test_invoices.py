"""Credit lines, and invoices for what was used of them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.invoicing import FROM_CREDIT, LATE, SETTLING, InvoiceState, Month
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.ports.accounts import Caps, KeyRecord
from monkey_coder_server.ports.invoicing import Invoice, LineStanding, Sent
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore

NOVEMBER, DECEMBER, JANUARY = Month("2026-11"), Month("2026-12"), Month("2027-01")
LINE = 100 * NANO_PER_CENT
_SUMS = Query(text("SELECT kind, SUM(amount) FROM entries WHERE kind <> 'provider_payable' GROUP BY kind"))


@pytest.fixture
async def firm(store: Storage) -> Storage:
    """An account with a line of a dollar, a key in a project, and no other credit."""
    await store.ledger.open_wallet(ACCOUNT)
    await store.credit_lines.set(ACCOUNT, LINE, NOON)
    await store.keys.create(
        KeyRecord(
            key_id=KEY,
            account_id=ACCOUNT,
            user_id="user_1",
            name="build",
            prefix="mk-dev-abcd",
            digest=KEY.encode().ljust(32, b"."),
            scopes=frozenset({"*"}),
            created_at=NOON,
            caps=Caps(),
            project_id="web",
        )
    )
    return store


async def spend(store: Storage, price: int, at: datetime = NOON, **changes: Any) -> None:
    request = hold_request(price, at=at, expires_at=at + timedelta(minutes=10))
    await store.books.place(request)
    await settle(store.books, request, price, **changes)


async def sums(store: Storage) -> dict[str, int]:
    def body(reading: Transaction) -> dict[str, int]:
        return {kind: int(amount) for kind, amount in reading.rows(_SUMS, {}) if amount}

    return await store.readers.read(body)


async def closed(store: Storage, month: Month) -> Invoice:
    made = await store.invoices.close(ACCOUNT, month, month.end + SETTLING)
    assert made is not None
    found = await store.invoices.find(ACCOUNT, made.invoice_id)
    assert found is not None
    return found


async def test_a_line_is_spent_like_credit_and_last(firm: Storage) -> None:
    await firm.ledger.grant(ACCOUNT, 1_000, reason="test", idempotency_key="first")
    await spend(firm, 1_500)
    assert await firm.credit_lines.find(ACCOUNT) == LineStanding(ACCOUNT, LINE, LINE - 500)
    assert await firm.credit_lines.find("acc_other") is None


async def test_a_line_is_raised_and_lowered_but_never_below_what_is_used_or_held(firm: Storage) -> None:
    await spend(firm, 30 * NANO_PER_CENT)
    assert await firm.credit_lines.set(ACCOUNT, LINE + 5, NOON) == LineStanding(
        ACCOUNT, LINE + 5, LINE + 5 - 30 * NANO_PER_CENT
    )
    held = hold_request(20 * NANO_PER_CENT)
    await firm.books.place(held)
    with pytest.raises(Conflict, match=r"0\.50 USD"):
        await firm.credit_lines.set(ACCOUNT, 50 * NANO_PER_CENT - 1, NOON)
    assert await firm.credit_lines.set(ACCOUNT, 50 * NANO_PER_CENT, NOON) == LineStanding(
        ACCOUNT, 50 * NANO_PER_CENT, 20 * NANO_PER_CENT
    )
    assert (await firm.books.wallet(ACCOUNT)).available == 0
    assert (await firm.ledger.verify()).sound
    with pytest.raises(NotFound):
        await firm.credit_lines.set("acc_other", 5, NOON)


async def test_a_month_becomes_one_invoice_by_model_and_project(firm: Storage) -> None:
    await spend(firm, 25_000_001)
    await spend(firm, 18_000_000, provider="xai", model="grok-4")
    made = await closed(firm, NOVEMBER)
    assert (made.state, made.cents, made.used, made.charged) == (InvoiceState.DRAFT, 4, 43_000_001, 43_000_001)
    assert [(each.project_id, each.model, each.amount, each.cents) for each in made.items] == [
        ("web", "openai/gpt-5", 25_000_001, 2),
        ("web", "xai/grok-4", 18_000_000, 2),
    ]
    assert await firm.invoices.close(ACCOUNT, NOVEMBER, NOVEMBER.end) is None
    books = await sums(firm)
    assert books["customer_receivable"] == -4 * NANO_PER_CENT
    assert books["rounding"] == -3_000_001
    assert books["credit_line"] == -(LINE - 43_000_001)
    assert (await firm.ledger.verify()).sound


async def test_residue_is_carried_to_the_next_month(firm: Storage) -> None:
    await spend(firm, 19_000_000)
    first = await closed(firm, NOVEMBER)
    await spend(firm, 1_000_000, DECEMBER.start)
    second = await closed(firm, DECEMBER)
    assert (first.cents, second.cents, second.used) == (1, 1, 1_000_000)
    assert [each.cents for each in second.items] == [1]
    assert "rounding" not in await sums(firm)


async def test_what_other_credit_paid_is_a_line_below_zero(firm: Storage) -> None:
    await firm.ledger.grant(ACCOUNT, 15_000_000, reason="test", idempotency_key="first")
    await spend(firm, 40_000_000)
    made = await closed(firm, NOVEMBER)
    assert (made.cents, made.used) == (2, 25_000_000)
    assert [(each.description, each.cents) for each in made.items][1:] == [(FROM_CREDIT, -2)]


async def test_endings_that_come_late_are_on_the_next_invoice_in_a_line_of_their_own(firm: Storage) -> None:
    await spend(firm, 20_000_000)
    late = hold_request(30_000_000)
    await firm.books.place(late)
    await spend(firm, 50_000_000, DECEMBER.start)
    first = await closed(firm, NOVEMBER)
    await settle(firm.books, late, 30_000_000)
    second = await closed(firm, DECEMBER)
    assert (first.cents, second.cents) == (2, 8)
    assert [(each.description, each.cents) for each in second.items][1:] == [(LATE, 3)]


async def test_two_invoicers_at_once_make_one_invoice(firm: Storage, open_store: OpenStore) -> None:
    await spend(firm, 40_000_000)
    async with open_store() as other:
        stores = (firm, other, firm, other)
        made = await asyncio.gather(*[each.invoices.close(ACCOUNT, NOVEMBER, NOVEMBER.end) for each in stores])
    assert len([each for each in made if each is not None]) == 1
    assert (await sums(firm))["customer_receivable"] == -4 * NANO_PER_CENT


async def test_months_are_due_until_they_are_closed(firm: Storage) -> None:
    now = DECEMBER.end + SETTLING

    async def due() -> list[str]:
        return [month.name for account_id, month in await firm.credit_lines.months_due(now) if account_id == ACCOUNT]

    assert await due() == ["2026-11", "2026-12"]
    idle = await closed(firm, NOVEMBER)
    assert (idle.state, idle.cents, list(idle.items)) == (InvoiceState.PAID, 0, [])
    assert await due() == ["2026-12"]
    assert await firm.invoices.of_account(ACCOUNT, month=None, most=9) == []


async def test_an_invoice_follows_what_is_seen_of_it_in_any_order(firm: Storage) -> None:
    await spend(firm, 40_000_000)
    made = await closed(firm, NOVEMBER)
    assert [each.invoice_id for each in await firm.invoices.unsent()] == [made.invoice_id]
    assert (await firm.invoices.unsent())[0].items == made.items
    open_ = Sent(InvoiceState.OPEN, "in_1", "https://pay.example/in_1", NOON + timedelta(days=30))
    lost = Sent(InvoiceState.UNCOLLECTIBLE, "in_1", "")
    for sent in (open_, lost, open_, lost):
        await firm.invoices.bring(made.invoice_id, sent, NOON)
    assert (await sums(firm))["house_loss"] == -4 * NANO_PER_CENT
    paid = await firm.invoices.bring(made.invoice_id, Sent(InvoiceState.PAID, "in_1", ""), NOON)
    assert paid is not None
    assert (paid.state, paid.hosted_url, paid.due_at, paid.paid_at) == (
        InvoiceState.PAID,
        open_.hosted_url,
        open_.due_at,
        NOON,
    )
    assert await firm.invoices.by_id(made.invoice_id) == paid
    assert await firm.invoices.unsent() == []
    assert "house_loss" not in await sums(firm)
    assert await firm.invoices.bring("inv_none", open_, NOON) is None
    assert await firm.invoices.by_id("inv_none") is None
    assert (await firm.ledger.verify()).sound


async def test_what_a_void_invoice_asked_for_is_on_the_next(firm: Storage) -> None:
    await spend(firm, 40_000_000)
    made = await closed(firm, NOVEMBER)
    await firm.invoices.bring(made.invoice_id, Sent(InvoiceState.VOID, "in_1", ""), NOON)
    after = await closed(firm, DECEMBER)
    assert (after.cents, [each.description for each in after.items]) == (4, [LATE])
    assert (await sums(firm))["customer_receivable"] == -4 * NANO_PER_CENT


async def test_an_account_sees_its_invoices_newest_first(firm: Storage) -> None:
    await spend(firm, 40_000_000)
    await spend(firm, 20_000_000, DECEMBER.start)
    first, second = [await closed(firm, month) for month in (NOVEMBER, DECEMBER)]
    listed = await firm.invoices.of_account(ACCOUNT, month=None, most=9)
    assert [each.invoice_id for each in listed] == [second.invoice_id, first.invoice_id]
    assert [each.period for each in await firm.invoices.of_account(ACCOUNT, month="2026-11", most=9)] == ["2026-11"]
    assert len(await firm.invoices.of_account(ACCOUNT, month=None, most=1)) == 1
    assert await firm.invoices.find("acc_other", first.invoice_id) is None
    charged = await firm.invoices.charged(ACCOUNT, NOVEMBER)
    assert [(each.model, each.project_id, each.amount) for each in charged] == [("openai/gpt-5", "web", 40_000_000)]
