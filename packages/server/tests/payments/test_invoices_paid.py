"""Invoices of ours at the simulated Stripe: sent, seen unpaid, paid, taken back; never credit that was bought."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from monkey_coder_server.bootstrap.buying import buying_of
from monkey_coder_server.bootstrap.plans import plans_of, sender_of
from monkey_coder_server.domain.invoicing import InvoiceState, Month
from monkey_coder_server.features.billing.plans import Invoicer
from monkey_coder_server.ports.invoicing import Invoice
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.payments.till import CENT, Till

pytestmark = pytest.mark.system
LINE, USED = 10_000 * CENT, 1_234 * CENT + 567


async def invoiced(till: Till) -> Invoice:
    """The till's account used its line; the month's invoice is open at the far end."""
    books, now = till.gateway.books, datetime.now(UTC)
    await books.storage.credit_lines.set(till.account_id, LINE, now)
    asked = hold_request(USED, account_id=till.account_id, at=now, expires_at=now + timedelta(minutes=5))
    await books.storage.books.place(asked)
    await settle(books.storage.books, asked, USED)
    month = Month(f"{now:%Y-%m}")
    drawn = await books.storage.invoices.close(till.account_id, month, month.end + timedelta(hours=6))
    assert drawn is not None
    await Invoicer(plans_of(books), sender_of(buying_of(books, till.gate), till.gate)).run()
    return drawn


async def owed(till: Till) -> int:
    return (await till.gateway.books.storage.ledger.verify()).totals.get("customer_receivable", 0)


async def state(till: Till, invoice: Invoice) -> InvoiceState:
    found = await till.gateway.books.storage.invoices.by_id(invoice.invoice_id)
    assert found is not None
    return found.state


async def test_an_invoice_that_was_seen_unpaid_is_settled_when_it_is_paid(till: Till) -> None:
    invoice = await invoiced(till)
    await till.settled()
    assert await state(till, invoice) is InvoiceState.OPEN
    [there] = till.control.find("invoice", status="open")
    assert (there["total"], there["metadata"]["invoice_id"]) == (1_234, invoice.invoice_id)
    assert await owed(till) == -1_234 * CENT
    till.control.pay_invoice(there["id"])
    await till.settled()
    assert await state(till, invoice) is InvoiceState.PAID
    assert await owed(till) == 0
    books = till.gateway.books.storage
    assert await books.payments.refundable(till.account_id) == []
    assert (await books.ledger.wallet(till.account_id)).balance == LINE - USED + 1_234 * CENT


async def test_an_invoice_that_was_taken_back_unheard_is_found(till: Till) -> None:
    invoice = await invoiced(till)
    await till.settled()
    [there] = till.control.find("invoice", status="open")
    till.control.script(lose=1_000)
    await asyncio.to_thread(till.sdk.v1.invoices.void_invoice, there["id"])
    assert await state(till, invoice) is InvoiceState.OPEN
    await till.side.reconcile(timedelta(0))
    assert await state(till, invoice) is InvoiceState.VOID
    assert await owed(till) == 0
