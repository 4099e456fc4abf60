"""Customers who are deleted, other currencies, and debits a bank takes days for."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from packages.server.tests.payments.till import Till

pytestmark = pytest.mark.system
WEEK = timedelta(days=7)


async def in_euros(till: Till) -> str:
    """The account's customer pays 9 euros on a page that is none of ours; the payment's id."""
    line: Any = {
        "quantity": 1,
        "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Other"}},
    }
    made = await asyncio.to_thread(
        till.sdk.v1.checkout.sessions.create,
        {
            "mode": "payment",
            "customer": await till.meet(),
            "success_url": "https://other.example/ok",
            "line_items": [line],
        },
    )
    return str(till.control.pay(made.id)["payment_intent"])


async def test_another_currency_gives_nothing_is_told_and_counted_aside(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    payment = await in_euros(till)
    await till.settled()
    assert await till.balance() == 0
    assert "is kept aside: currency" in caplog.text
    [shown] = (await till.ask("GET", "payments")).json()["payments"]
    assert (shown["state"], shown["refundable_usd"]) == ("succeeded", "0.00")
    found = await till.side.reconcile(WEEK)
    assert (found.sound, found.aside, found.processor, found.books) == (True, 1, 0, 0)
    till.control.refund(payment)
    till.control.warn_of_fraud(payment)
    await till.settled()
    assert (await till.standing()).frozen == ""


async def test_a_customer_deleted_in_the_dashboard_keeps_the_credit_and_buys_as_a_new_one(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    first = await till.meet()
    await asyncio.to_thread(till.sdk.v1.customers.delete, first)
    await till.settled()
    books = till.gateway.books.storage.payments
    assert await books.customer(till.account_id) is None
    assert await till.notes("customer.deleted") == ["forgotten"]
    trail = (await till.client.get("/v1/audit", headers={"x-api-key": till.api_key})).json()["entries"]
    assert "payments.customer_gone" in [each["action"] for each in trail]
    assert (await till.ask("GET", "card")).status_code == 404
    till.control.refund(payment, 500)
    await till.settled()
    assert await till.balance() == 2_000, "what becomes of an old payment is the account's still"
    page = await till.ask("POST", "checkout", {"amount_usd": "10"})
    assert page.status_code == 200, page.text
    second = await books.customer(till.account_id)
    assert second not in {None, first}
    [session] = [each for each in till.control.find("checkout.session") if each["customer"] == second]
    till.control.pay(session["id"])
    await till.settled()
    assert await till.balance() == 3_000
    assert (await till.side.reconcile(WEEK)).sound


async def test_a_bank_debit_that_fails_five_days_later_gives_nothing_at_any_time(till: Till) -> None:
    till.control.pay_by_bank(await till.session(2_500), bounces=True)
    await till.settled()
    assert await till.notes("checkout.session.completed") == ["nothing new"]
    assert await till.balance() == 0
    [shown] = (await till.ask("GET", "payments")).json()["payments"]
    assert shown["state"] == "pending"
    till.control.advance(5)
    await till.settled()
    assert await till.notes("checkout.session.async_payment_failed") == ["nothing new"]
    [shown] = (await till.ask("GET", "payments")).json()["payments"]
    assert (shown["state"], bool(shown["failure"])) == ("failed", True)
    assert await till.balance() == 0
    assert (await till.side.reconcile(WEEK)).sound


async def test_a_bank_debit_gives_its_credit_when_it_arrives_days_later(till: Till) -> None:
    till.control.pay_by_bank(await till.session(2_500))
    await till.settled()
    assert await till.balance() == 0
    till.control.advance(5)
    await till.settled()
    assert len(await till.notes("checkout.session.async_payment_succeeded")) == 1
    assert await till.balance() == 2_500
