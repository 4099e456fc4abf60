"""Customers, subscriptions through months, invoices of every ending, and the prices they are made from."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from monkey_coder_server.sandbox.stripe.periods import months_later
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from packages.server.tests.sandbox.stripe.conftest import Seller


def test_months_keep_their_day_where_there_is_one() -> None:
    last = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())
    shown = [datetime.fromtimestamp(months_later(last, months), UTC).strftime("%m-%d") for months in (0, 1, 2, 13)]
    assert shown == ["01-31", "02-28", "03-31", "02-29"]


pytestmark = pytest.mark.system


async def subscribed(seller: Seller, card: str = "4242424242424242", **fields: Any) -> Any:
    customer = await seller.customer()
    session = await seller.session(
        "subscription", customer=customer.id, subscription_data={"metadata": {"plan": "team"}}, **fields
    )
    done = seller.control.pay(session.id, card)
    return await seller.call(seller.client.v1.subscriptions.retrieve, done["subscription"])


def invoices_of(seller: Seller, subscription: Any) -> list[Any]:
    return [invoice for invoice in seller.control.find("invoice") if invoice["customer"] == subscription.customer]


async def test_a_customer_is_changed_found_and_deleted_with_their_cards_and_plans(seller: Seller) -> None:
    customers = seller.client.v1.customers
    subscription = await subscribed(seller)
    name = subscription.customer
    changed = await seller.call(customers.update, name, {"name": "Ada", "metadata": {"a": "b", "c": "d"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Ada", {"a": "b", "c": "d"})
    changed = await seller.call(
        customers.update,
        name,
        {"metadata": {"a": ""}, "invoice_settings": {"default_payment_method": subscription.default_payment_method}},
    )
    assert changed.metadata.to_dict() == {"c": "d"}
    event = seller.control.find("event", type="customer.updated")[-1]
    assert set(event["data"]["previous_attributes"]) == {"metadata", "invoice_settings"}
    assert len((await seller.call(customers.list, {"email": "ada@example.com"})).data) == 1
    assert (await seller.call(customers.delete, name)).deleted
    assert {"customer.subscription.deleted", "payment_method.detached", "customer.deleted"} <= set(seller.told)
    assert (await seller.call(customers.retrieve, name, {"expand": ["default_source"]})).to_dict() == {
        "id": name,
        "object": "customer",
        "deleted": True,
    }
    assert (await seller.call(customers.list)).data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await seller.session(customer=name)


async def test_metadata_have_stripes_limits(seller: Seller) -> None:
    for wrong in ({"x" * 41: "a"}, {"a": "x" * 501}, {str(number) + "n": "v" for number in range(51)}):
        with pytest.raises(stripe.InvalidRequestError, match="Metadata"):
            await seller.customer(metadata=wrong)
    made = await seller.customer(address={"country": "DE", "city": "Berlin"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        await seller.call(
            seller.client.v1.customers.update, made.id, {"invoice_settings": {"default_payment_method": "pm_x"}}
        )


async def test_a_plan_begins_with_a_paid_invoice_and_renews_each_month(seller: Seller) -> None:
    subscription = await subscribed(seller)
    item = subscription["items"].data[0]
    assert (subscription.status, item.current_period_end) == ("active", months_later(item.current_period_start, 1))
    (first,) = invoices_of(seller, subscription)
    assert (first["billing_reason"], first["status"], first["total"]) == ("subscription_create", "paid", 2_000)
    assert first["parent"]["subscription_details"]["metadata"] == {"plan": "team"}
    assert first["period_start"] == first["period_end"], "Stripe's first invoice has no period; its line has"
    assert first["lines"]["data"][0]["period"]["end"] == item.current_period_end
    renewed_twice = months_later(item.current_period_start, 2)
    seller.control.advance(seconds=renewed_twice - item.current_period_start + 2 * 3_600)  # drafts stand for an hour
    again = await seller.call(seller.client.v1.subscriptions.retrieve, subscription.id)
    assert again["items"].data[0].current_period_end == months_later(item.current_period_start, 3)
    renewals = invoices_of(seller, subscription)[1:]
    assert [(invoice["billing_reason"], invoice["status"]) for invoice in renewals] == [
        ("subscription_cycle", "paid")
    ] * 2
    assert (renewals[0]["period_end"], renewals[0]["lines"]["data"][0]["period"]["start"]) == (
        item.current_period_end,
        item.current_period_end,
    )
    listed = await seller.call(seller.client.v1.invoices.list, {"subscription": subscription.id, "status": "paid"})
    assert len(listed.data) == 3
    assert seller.control.cash()["charge"] == 6_000


async def test_a_renewal_that_is_declined_is_tried_again_and_then_ends_the_plan(seller: Seller) -> None:
    subscription = await subscribed(seller)
    attached = await seller.call(
        seller.client.v1.payment_methods.attach, "pm_card_chargeCustomerFail", {"customer": subscription.customer}
    )
    change = {"default_payment_method": attached.id}
    await seller.call(seller.client.v1.subscriptions.update, subscription.id, change)
    seller.control.advance(days=32)
    late = await seller.call(seller.client.v1.subscriptions.retrieve, subscription.id)
    assert late.status == "past_due"
    assert seller.told.count("invoice.payment_failed") == 1
    seller.control.advance(days=16)
    ended = await seller.call(seller.client.v1.subscriptions.retrieve, subscription.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert seller.told.count("invoice.payment_failed") == 4


async def test_a_plan_ends_with_its_period_or_at_once(seller: Seller) -> None:
    subscriptions = seller.client.v1.subscriptions
    later, now = await subscribed(seller), await subscribed(seller)
    stopping = await seller.call(subscriptions.update, later.id, {"cancel_at_period_end": True})
    assert (stopping.status, stopping.cancel_at_period_end) == ("active", True)
    assert seller.told[-1] == "customer.subscription.updated"
    ended = await seller.call(subscriptions.cancel, now.id, {"cancellation_details": {"comment": "bye"}})
    assert (ended.status, ended.cancellation_details.comment) == ("canceled", "bye")
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await seller.call(subscriptions.cancel, now.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        await seller.call(subscriptions.update, now.id, {"cancel_at_period_end": True})
    seller.control.advance(days=40)
    assert seller.told.count("customer.subscription.deleted") == 2
    assert len(seller.control.find("invoice")) == 2
    for status, found in ((None, 0), ("all", 2), ("ended", 2), ("active", 0)):
        listed = await seller.call(subscriptions.list, {"status": status} if status else {})
        assert len(listed.data) == found


async def test_prices_can_be_made_before_they_are_sold(seller: Seller) -> None:
    product = await seller.call(seller.client.v1.products.create, {"name": "Team", "metadata": {"plan": "team"}})
    wish = {"product": product.id, "currency": "usd", "unit_amount": 3_000, "recurring": {"interval": "year"}}
    price = await seller.call(seller.client.v1.prices.create, wish)
    assert (await seller.call(seller.client.v1.products.retrieve, product.id)).name == "Team"
    assert (await seller.call(seller.client.v1.prices.retrieve, price.id)).recurring.interval == "year"
    subscription = await subscribed(seller, line_items=[{"price": price.id, "quantity": 2}])
    item = subscription["items"].data[0]
    assert item.current_period_end == months_later(item.current_period_start, 12)
    assert seller.control.cash()["charge"] == 6_000
    hidden = seller.control.find("price")[0]
    made_on_the_spot = await seller.session()
    assert made_on_the_spot.id
    for bad in (
        [{"price": seller.control.find("price")[-1]["id"], "quantity": 1}],
        [{"price": hidden["id"], "quantity": 1}],
    ):
        with pytest.raises(stripe.InvalidRequestError):
            await seller.session(line_items=bad)


async def invoice_of(seller: Seller, *, lines: int = 2, **fields: Any) -> Any:
    customer = fields.pop("customer", None) or (await seller.customer()).id
    wish = {"customer": customer, "collection_method": "send_invoice", "days_until_due": 7, **fields}
    made = await seller.call(seller.client.v1.invoices.create, wish)
    for number in range(lines):
        line = {
            "customer": customer,
            "invoice": made.id,
            "amount": 150 + number,
            "currency": "usd",
            "description": f"Line {number}",
            "metadata": {"line": str(number)},
        }
        await seller.call(seller.client.v1.invoice_items.create, line)
    return made


async def test_an_invoice_is_written_sent_and_paid_on_its_page(seller: Seller) -> None:
    invoices = seller.client.v1.invoices
    made = await invoice_of(seller, metadata={"month": "2026-11"})
    items = await seller.call(seller.client.v1.invoice_items.list, {"invoice": made.id})
    assert [item.metadata["line"] for item in items] == ["1", "0"]
    lines = {"lines": [{"description": "More", "amount": 10, "period": {"start": 1, "end": 2}}]}
    await seller.call(invoices.add_lines, made.id, lines)
    opened = await seller.call(invoices.finalize_invoice, made.id, {"auto_advance": True})
    assert (opened.status, opened.total, opened.amount_remaining) == ("open", 311, 311)
    with pytest.raises(stripe.InvalidRequestError, match="no longer editable"):
        await seller.call(invoices.add_lines, made.id, lines)
    seller.control.advance(seconds=1)
    assert seller.told[-1] == "invoice.sent"
    await seller.call(invoices.send_invoice, made.id)
    first_lines = await seller.call(invoices.line_items.list, made.id, {"limit": 2})
    rest = await seller.call(invoices.line_items.list, made.id, {"starting_after": first_lines.data[1].id})
    assert (first_lines.has_more, len(rest.data)) == (True, 1)
    with pytest.raises(Refusal, match="declined"):
        seller.control.pay_invoice(made.id, "4000000000000002")
    assert seller.told[-1] == "invoice.payment_failed"
    seller.control.pay_invoice(made.id)
    paid = await seller.call(invoices.retrieve, made.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert (paid.status, paid.amount_paid, paid.attempt_count, paid.metadata["month"]) == ("paid", 311, 2, "2026-11")
    assert paid.payments.data[0].payment.payment_intent.amount_received == 311
    seller.control.advance(days=30)
    assert "invoice.overdue" not in seller.told


async def test_an_invoice_falls_due_is_given_up_or_taken_back(seller: Seller) -> None:
    invoices = seller.client.v1.invoices
    given_up, taken_back, elsewhere = [await invoice_of(seller) for _ in range(3)]
    for made in (given_up, taken_back, elsewhere):
        await seller.call(invoices.finalize_invoice, made.id)
    seller.control.advance(days=8)
    assert seller.told.count("invoice.overdue") == 3
    assert (await seller.call(invoices.mark_uncollectible, given_up.id)).status == "uncollectible"
    assert (await seller.call(invoices.void_invoice, taken_back.id)).status == "void"
    assert (await seller.call(invoices.pay, elsewhere.id, {"paid_out_of_band": True})).status == "paid"
    assert seller.told.count("payment_intent.canceled") == 2
    assert seller.control.cash()["charge"] == 0
    for verb in (invoices.void_invoice, invoices.mark_uncollectible, invoices.pay):
        with pytest.raises(stripe.InvalidRequestError):
            await seller.call(verb, elsewhere.id)
    unsaid = await seller.call(seller.client.v1.invoice_payments.list, {"invoice": taken_back.id, "status": "open"})
    assert len(unsaid.data) == 1


async def test_an_invoice_is_charged_on_the_card_a_customer_chose(seller: Seller) -> None:
    invoices = seller.client.v1.invoices
    customer = await seller.customer()
    wish = {"collection_method": "charge_automatically", "days_until_due": "", "customer": customer.id}
    with pytest.raises(stripe.InvalidRequestError, match="SDK's types"):
        await invoice_of(seller, **wish)
    made = await seller.call(invoices.create, {"customer": customer.id, "auto_advance": True})
    await seller.call(invoices.add_lines, made.id, {"lines": [{"amount": 500, "description": "Usage"}]})
    attached = await seller.call(seller.client.v1.payment_methods.attach, "pm_card_visa", {"customer": customer.id})
    settings = {"invoice_settings": {"default_payment_method": attached.id}}
    await seller.call(seller.client.v1.customers.update, customer.id, settings)
    seller.control.advance(seconds=3_601)
    assert (await seller.call(invoices.retrieve, made.id)).status == "paid"
    bare = await seller.customer()
    unpaid = await seller.call(invoices.create, {"customer": bare.id})
    await seller.call(invoices.add_lines, unpaid.id, {"lines": [{"amount": 500}]})
    with pytest.raises(stripe.InvalidRequestError, match="default_payment_method"):
        await seller.call(invoices.pay, unpaid.id)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        await seller.call(invoices.pay, unpaid.id, {"payment_method": attached.id})


async def test_what_waits_for_the_next_invoice_is_put_on_it_when_asked(seller: Seller) -> None:
    customer = await seller.customer()
    item = {"customer": customer.id, "amount": 700, "currency": "usd", "description": "Waits"}
    await seller.call(seller.client.v1.invoice_items.create, item)
    without = await invoice_of(seller, customer=customer.id, lines=0, pending_invoice_items_behavior="exclude")
    assert without.total == 0
    within = await invoice_of(seller, customer=customer.id, lines=0, pending_invoice_items_behavior="include")
    assert within.total == 700
    assert (await seller.call(seller.client.v1.invoices.delete, without.id)).deleted
    settled = await seller.call(
        seller.client.v1.invoices.finalize_invoice,
        (await invoice_of(seller, customer=customer.id, lines=0)).id,
    )
    assert settled.status == "paid", "nothing to pay is paid"


async def test_invoices_that_contradict_themselves_are_refused(seller: Seller) -> None:
    customer = await seller.customer()
    other = await invoice_of(seller)
    for wrong in (
        {"collection_method": "send_invoice"},
        {"days_until_due": 7},
        {"currency": "eur"},
        {"automatic_tax": {"enabled": True}},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            await seller.call(seller.client.v1.invoices.create, {"customer": customer.id, **wrong})
    for wrong in ({"invoice": other.id}, {"currency": "eur"}, {"tax_behavior": "inclusive"}):
        with pytest.raises(stripe.InvalidRequestError):
            await seller.call(
                seller.client.v1.invoice_items.create,
                {"customer": customer.id, "amount": 1, "currency": "usd", **wrong},
            )


async def test_tax_is_on_top_of_every_line(seller: Seller) -> None:
    customer = await seller.customer(address={"country": "US", "postal_code": "94103"})
    made = await invoice_of(seller, customer=customer.id, automatic_tax={"enabled": True})
    opened = await seller.call(seller.client.v1.invoices.finalize_invoice, made.id)
    assert (opened.subtotal, opened.total, opened.total_taxes[0].amount) == (301, 331, 30)
