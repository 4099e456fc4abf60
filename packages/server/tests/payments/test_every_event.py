"""Each event the endpoint is told to send (docs/how-to/stripe.md) is enough alone: what it is about is looked up.

All other webhooks are lost, and the event itself holds no more than an id.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.bootstrap.buying import buying_of
from monkey_coder_server.bootstrap.plans import plans_of, sender_of
from monkey_coder_server.domain.invoicing import SETTLING, InvoiceState, Month
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.domain.plans import Plan, PlanKind
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.billing.plans import Invoicer
from monkey_coder_server.ports.payments import CheckoutWish, NewCustomer
from packages.server.tests.adapters.payments.test_subjects import OURS
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.payments.till import CENT, Till

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
SUBSCRIPTIONS = {
    "customer.subscription.created": ({}, ("active", True)),
    "customer.subscription.updated": ({"status": "past_due"}, ("past_due", True)),
    "customer.subscription.deleted": ({"status": "canceled"}, ("canceled", False)),
    "customer.subscription.paused": ({"status": "paused"}, ("paused", False)),
    "customer.subscription.resumed": ({"status": "active"}, ("active", True)),
    "customer.subscription.trial_will_end": ({"status": "trialing"}, ("trialing", True)),
}
"""What was done in the dashboard, and how the subscription then stands here."""
INVOICES = {
    "invoice.created": InvoiceState.OPEN,
    "invoice.finalized": InvoiceState.OPEN,
    "invoice.finalization_failed": InvoiceState.OPEN,
    "invoice.payment_failed": InvoiceState.OPEN,
    "invoice.payment_action_required": InvoiceState.OPEN,
    "invoice.overdue": InvoiceState.OPEN,
    "invoice.paid": InvoiceState.PAID,
    "invoice.overpaid": InvoiceState.PAID,
    "invoice.voided": InvoiceState.VOID,
    "invoice.marked_uncollectible": InvoiceState.UNCOLLECTIBLE,
}
"""How our invoice stands afterwards."""
ASKED, LINE = 400, 10_000


async def test_each_event_about_a_payment_brings_its_credit(till: Till) -> None:
    till.control.script(lose=10_000)
    kinds = OURS["payment"].split()
    for bought, kind in enumerate(kinds, 1):
        payment = await till.buy(500)
        till.control.forge(kind, {"id": payment, "payment_intent": payment, "mode": "payment"})
        await till.settled()
        assert (kind, await till.balance()) == (kind, bought * 500)
        assert await till.notes(kind) == ["booked"]


async def test_each_event_about_a_customer_tells_that_one_is_gone(till: Till) -> None:
    till.control.script(lose=10_000)
    books = till.gateway.books.storage.payments
    for kind in OURS["customer"].split():
        made = await till.gate.create_customer(NewCustomer(till.account_id, "b@example.com", kind), key=kind)
        assert await books.keep_customer(till.account_id, made) == made
        till.control.forge(kind, {"id": made, "customer": made})
        await till.settled()
        assert (kind, await books.customer(till.account_id)) == (kind, made)
        await asyncio.to_thread(till.sdk.v1.customers.delete, made)
        till.control.forge(kind, {"id": made, "customer": made})
        await till.settled()
        assert (kind, await books.customer(till.account_id)) == (kind, None)
        assert await till.notes(kind) == ["forgotten", "nothing new"]


async def test_a_card_that_was_detached_or_replaced_is_another_at_once(till: Till) -> None:
    await till.buy(2_500)
    await till.settled()
    assert (await till.ask("GET", "card")).json()["last_four"] == "4242"
    customer = await till.gate.customer(await till.meet())
    assert customer is not None
    assert customer.card is not None
    till.stripe.simulator.account.objects[customer.card.method_id]["card"] |= {"exp_year": 2039}
    till.control.forge("payment_method.automatically_updated", {"customer": customer.customer_id})
    await till.settled()
    assert (await till.ask("GET", "card")).json()["expires"].startswith("2039")
    await asyncio.to_thread(till.sdk.v1.payment_methods.detach, customer.card.method_id)
    await till.settled()
    assert await till.notes("payment_method.detached") == ["nothing new"]
    assert (await till.ask("GET", "card")).status_code == 404


async def subscribed(till: Till, number: int) -> str:
    """A plan is paid on a page; the subscription's id."""
    wish = CheckoutWish(
        await till.meet(),
        till.account_id,
        Purpose.SUBSCRIPTION,
        2_000,
        "Pro",
        "https://gateway.example/ok",
        "https://gateway.example/no",
        reference="pro",
    )
    page = await till.gate.checkout(wish, key=f"plan_{number}")
    return str(till.control.pay(page.page_id)["subscription"])


async def test_each_event_about_a_subscription_brings_its_state(till: Till) -> None:
    till.control.script(lose=10_000)
    await till.gateway.books.storage.plans.put(
        Plan(plan_id="pro", name="Pro", kind=PlanKind.SUBSCRIPTION, monthly_fee_cents=2_000)
    )
    assert sorted(SUBSCRIPTIONS) == sorted(OURS["subscription"].split())
    for number, (kind, (changes, expected)) in enumerate(SUBSCRIPTIONS.items()):
        name = await subscribed(till, number)
        till.stripe.simulator.account.objects[name] |= changes
        till.control.forge(kind, {"id": name})
        await till.settled()
        found = await till.gateway.books.storage.subscriptions.of_account(till.account_id)
        [kept] = [each for each in found if each.subscription_id == name]
        assert (kind, kept.state, kept.live) == (kind, *expected)
        assert await till.notes(kind) == ["looked at"]


@dataclass
class Firm:
    """An account on a credit line, with an invoice for last month that Stripe has."""

    till: Till
    account_id: str

    async def state(self) -> InvoiceState:
        [kept] = await self.till.gateway.books.storage.invoices.of_account(self.account_id, month=None, most=9)
        return kept.state

    @property
    def at_stripe(self) -> dict[str, Any]:
        """The simulator's own, to be changed as in the dashboard."""
        [found] = [each for each in self._objects() if each["metadata"].get("account_id") == self.account_id]
        return found

    def paying(self) -> dict[str, Any]:
        """The payment that asks for the invoice's money."""
        [asked] = self.till.control.find("invoice_payment", invoice=self.at_stripe["id"])
        found: dict[str, Any] = self.till.stripe.simulator.account.objects[asked["payment"]["payment_intent"]]
        return found

    def _objects(self) -> list[dict[str, Any]]:
        return self.till.stripe.simulator.account.all("invoice")

    async def owed(self) -> int:
        """What the books say it owes, in cents; below zero is owed to it."""
        name = f"kind = 'customer_receivable' AND owner = '{self.account_id}'"
        [(total,)] = await self.till.rows(f"SELECT coalesce(sum(amount), 0) FROM entries WHERE {name}")  # noqa: S608 - our own words
        return -int(total) // CENT


async def firms(till: Till, number: int) -> list[Firm]:
    """So many, each used 4 USD of its line in the last month that may be invoiced."""
    books = till.gateway.books
    storage, now = books.storage, books.clock.now()
    month = Month(f"{now - SETTLING:%Y-%m}").before
    made = []
    for each in range(number):
        created = await operator.create_user(
            books.accounts, email=f"firm{each}@example.com", password=None, credit=0, plan=None
        )
        account_id, at = created.user.account_id, month.start + timedelta(days=3)
        await storage.credit_lines.set(account_id, LINE * CENT, at)
        asked = hold_request(ASKED * CENT, account_id=account_id, at=at, expires_at=at + timedelta(minutes=5))
        await storage.books.place(asked)
        await settle(storage.books, asked, ASKED * CENT)
        made.append(Firm(till, account_id))
    trade = buying_of(books, till.gate)
    assert await Invoicer(plans_of(books), sender_of(trade, till.gate)).run() == number
    return made


async def test_each_event_about_an_invoice_brings_its_state(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    till.control.script(lose=10_000)
    assert sorted(INVOICES) == sorted(OURS["invoice"].split())
    for firm, (kind, state) in zip(await firms(till, len(INVOICES)), INVOICES.items(), strict=True):
        assert await firm.owed() == ASKED
        name, invoices = firm.at_stripe["id"], till.sdk.v1.invoices
        if state is InvoiceState.PAID:
            till.control.pay_invoice(name)
        elif state is InvoiceState.VOID:
            await asyncio.to_thread(invoices.void_invoice, name)
        elif state is InvoiceState.UNCOLLECTIBLE:
            await asyncio.to_thread(invoices.mark_uncollectible, name)
        if kind == "invoice.overpaid":
            firm.at_stripe["amount_paid"] += 100
            firm.paying()["amount_received"] += 100
        till.control.forge(kind, {"id": name})
        await till.settled()
        assert (kind, await firm.state()) == (kind, state)
        assert await till.notes(kind) == ["looked at"]
        frozen = (await till.gateway.books.storage.payments.standing(firm.account_id)).frozen
        assert frozen == ("overdue" if state is InvoiceState.UNCOLLECTIBLE else "")
        left = {InvoiceState.OPEN: ASKED, InvoiceState.PAID: 0, InvoiceState.VOID: 0, InvoiceState.UNCOLLECTIBLE: 0}
        assert (kind, await firm.owed()) == (kind, -100 if kind == "invoice.overpaid" else left[state])
        assert ("more than it asks for" in caplog.text) is (kind == "invoice.overpaid")
        caplog.clear()
        if kind == "invoice.overpaid":
            till.control.refund(firm.paying()["id"], 100)
            till.control.forge("charge.refunded", {"payment_intent": firm.paying()["id"]})
            await till.settled()
            assert await firm.owed() == 0
            assert (await till.gateway.books.storage.payments.standing(firm.account_id)).debt == 0
    report = await till.gateway.books.storage.ledger.verify()
    assert report.sound, report.details
