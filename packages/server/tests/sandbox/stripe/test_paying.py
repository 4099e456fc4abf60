"""Pages paid by all kinds of cards and by bank debits, refunds, disputes: states, events and what Stripe holds."""

from typing import Any

import pytest
import stripe

from monkey_coder_server.sandbox.stripe.cards import CARDS
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from packages.server.tests.sandbox.stripe.conftest import Seller

pytestmark = pytest.mark.system
DECLINED, UNLESS_SET_UP, ALWAYS = "4000000000000002", "4000002500003155", "4000002760003184"


async def test_a_paid_page_is_complete_and_tells_the_payment_before_the_page(seller: Seller) -> None:
    session = await seller.session(metadata={"a": "b"}, payment_intent_data={"metadata": {"account": "1"}})
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    seller.control.pay(session.id)
    paid = await seller.call(seller.client.v1.checkout.sessions.retrieve, session.id, {"expand": ["payment_intent"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.payment_intent.metadata.to_dict() == {"account": "1"}
    assert paid.metadata.to_dict() == {"a": "b"}
    assert seller.told[-3:] == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    found = await seller.call(seller.client.v1.checkout.sessions.list, {"payment_intent": paid.payment_intent.id})
    assert [item.id for item in found] == [session.id]
    cash = seller.control.cash()
    assert (cash["charge"], cash["fee"], cash["net"]) == (2_500, 103, 2_397)


async def test_a_page_makes_its_invoice_and_adds_tax(seller: Seller) -> None:
    customer = await seller.customer()
    wish: dict[str, Any] = {
        "customer": customer.id,
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": {"account": "1"}}},
        "automatic_tax": {"enabled": True},
    }
    with pytest.raises(stripe.InvalidRequestError, match="valid address"):
        await seller.session(**wish)
    session = await seller.session(**wish, customer_update={"address": "auto"})
    assert (session.amount_total, session.total_details.amount_tax) == (2_750, 250)
    done = seller.control.pay(session.id)
    invoice = await seller.call(seller.client.v1.invoices.retrieve, done["invoice"], {"expand": ["payments"]})
    assert (invoice.status, invoice.total, invoice.amount_paid, invoice.total_taxes[0].amount) == (
        "paid",
        2_750,
        2_750,
        250,
    )
    assert invoice.payments.data[0].payment.payment_intent == done["payment_intent"]
    assert invoice.metadata.to_dict() == {"account": "1"}
    again = await seller.call(
        seller.client.v1.invoice_payments.list,
        {"payment": {"type": "payment_intent", "payment_intent": done["payment_intent"]}},
    )
    assert [item.invoice for item in again] == [invoice.id]


async def test_a_declined_card_leaves_the_page_open_for_another(seller: Seller) -> None:
    session = await seller.session()
    with pytest.raises(Refusal, match="declined"):
        seller.control.pay(session.id, DECLINED)
    assert seller.told[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert seller.control.pay(session.id)["payment_status"] == "paid"
    assert len(seller.control.find("payment_intent")) == 1


async def test_a_bank_that_asks_is_answered_before_the_page_completes(seller: Seller) -> None:
    session = await seller.session()
    waiting = seller.control.pay(session.id, UNLESS_SET_UP)
    assert waiting["status"] == "open"
    assert seller.told[-1] == "payment_intent.requires_action"
    with pytest.raises(Refusal, match="authenticate"):
        seller.control.prove(waiting["payment_intent"], passed=False)
    seller.control.pay(session.id, UNLESS_SET_UP)
    assert seller.control.prove(waiting["payment_intent"])["status"] == "succeeded"
    assert seller.control.find("checkout.session")[0]["payment_status"] == "paid"


@pytest.mark.parametrize(("card", "state"), [(UNLESS_SET_UP, "succeeded"), (ALWAYS, "authentication_required")])
async def test_a_saved_card_is_charged_while_its_owner_is_away_unless_the_bank_always_asks(
    seller: Seller, card: str, state: str
) -> None:
    customer = await seller.customer()
    session = await seller.session(customer=customer.id, payment_intent_data={"setup_future_usage": "off_session"})
    seller.control.prove(seller.control.pay(session.id, card)["payment_intent"])
    methods = await seller.call(seller.client.v1.customers.payment_methods.list, customer.id, {"type": "card"})
    wish = {
        "amount": 1_000,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": methods.data[0].id,
        "off_session": True,
        "confirm": True,
    }
    if state == "succeeded":
        assert (await seller.call(seller.client.v1.payment_intents.create, wish)).status == "succeeded"
        return
    with pytest.raises(stripe.CardError) as refused:
        await seller.call(seller.client.v1.payment_intents.create, wish)
    assert refused.value.code == state
    assert refused.value.error.payment_intent.status == "requires_payment_method"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"amount": 20}, "at least"),
        ({"amount": 100_000_000}, "no more than"),
        ({"off_session": True, "confirm": False}, "confirm"),
        ({"customer": "cus_nobody"}, "No such customer"),
        ({"confirm": True}, "return_url"),
        ({"payment_method": "pm_nothing"}, "No such payment method"),
    ],
)
async def test_wrong_charges_are_refused_without_an_intent(seller: Seller, wrong: dict[str, Any], says: str) -> None:
    wish = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", **wrong}
    with pytest.raises(stripe.InvalidRequestError, match=says):
        await seller.call(seller.client.v1.payment_intents.create, wish)
    assert seller.control.find("payment_intent") == []


async def test_somebody_elses_card_cannot_be_charged(seller: Seller) -> None:
    owner, other = await seller.customer(), await seller.customer()
    attached = await seller.call(seller.client.v1.payment_methods.attach, "pm_card_mastercard", {"customer": owner.id})
    wish = {"amount": 500, "currency": "usd", "payment_method": attached.id, "confirm": True, "off_session": True}
    for customer in ({}, {"customer": other.id}):
        with pytest.raises(stripe.InvalidRequestError, match="customer"):
            await seller.call(seller.client.v1.payment_intents.create, {**wish, **customer})
    detached = await seller.call(seller.client.v1.payment_methods.detach, attached.id)
    assert detached.customer is None
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        await seller.call(seller.client.v1.payment_methods.detach, attached.id)


async def test_an_intent_is_confirmed_or_cancelled_once(seller: Seller) -> None:
    intents = seller.client.v1.payment_intents
    made = await seller.call(intents.create, {"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await seller.call(intents.confirm, made.id, {"return_url": "http://127.0.0.1:9/"})
    paid = await seller.call(
        intents.confirm, made.id, {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"}
    )
    assert paid.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        await seller.call(intents.cancel, made.id)
    other = await seller.call(intents.create, {"amount": 500, "currency": "usd"})
    cancelled = await seller.call(intents.cancel, other.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, seller.told[-1]) == ("canceled", "payment_intent.canceled")


@pytest.mark.parametrize("bounces", [False, True])
async def test_a_bank_debit_completes_the_page_at_once_and_is_known_days_later(seller: Seller, bounces: bool) -> None:
    session = await seller.session()
    done = seller.control.pay_by_bank(session.id, bounces=bounces)
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    assert seller.told[-3:] == ["charge.pending", "payment_intent.processing", "checkout.session.completed"]
    seller.control.advance(days=5)
    ending = ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    if not bounces:
        ending = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
    assert seller.told[-3:] == ending
    assert seller.control.cash()["charge"] == (0 if bounces else 2_500)


async def test_a_page_expires_by_itself_by_a_call_or_by_a_script_and_then_takes_no_money(seller: Seller) -> None:
    alone, called, scripted = [await seller.session() for _ in range(3)]
    await seller.call(seller.client.v1.checkout.sessions.expire, called.id)
    seller.control.expire(scripted.id)
    seller.control.advance(days=2)
    assert seller.told.count("checkout.session.expired") == 3
    with pytest.raises(Refusal, match="no longer open"):
        seller.control.pay(alone.id)
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        await seller.call(seller.client.v1.checkout.sessions.expire, alone.id)


async def test_refunds_never_sum_to_more_than_was_paid(seller: Seller) -> None:
    intent = await seller.paid()
    refunds = seller.client.v1.refunds
    first = await seller.call(refunds.create, {"payment_intent": intent.id, "amount": 1_000, "metadata": {"o": "1"}})
    assert (first.status, first.metadata["o"]) == ("succeeded", "1")
    assert seller.told[-2:] == ["refund.created", "charge.refunded"]
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await seller.call(refunds.create, {"payment_intent": intent.id, "amount": 1_501})
    seller.control.refund(intent.id)
    charge = await seller.call(seller.client.v1.charges.retrieve, intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded, len(charge.refunds.data)) == (2_500, True, 2)
    with pytest.raises(stripe.InvalidRequestError) as over:
        await seller.call(refunds.create, {"payment_intent": intent.id, "amount": 1})
    assert over.value.code == "charge_already_refunded"
    listed = await seller.call(refunds.list, {"payment_intent": intent.id})
    assert sum(item.amount for item in listed) == 2_500
    assert seller.control.cash()["refund"] == -2_500


async def test_a_refund_may_be_late_and_a_certain_one_may_bounce(seller: Seller) -> None:
    late, bouncing = await seller.paid("4000000000007726"), await seller.paid("4000000000005126")
    made = [
        await seller.call(seller.client.v1.refunds.create, {"payment_intent": intent.id}) for intent in (late, bouncing)
    ]
    assert [refund.status for refund in made] == ["pending", "succeeded"]
    seller.control.advance(days=6)
    now = [await seller.call(seller.client.v1.refunds.retrieve, refund.id) for refund in made]
    assert [refund.status for refund in now] == ["succeeded", "failed"]
    assert {"refund.updated", "refund.failed"} <= set(seller.told)
    charge = await seller.call(seller.client.v1.charges.retrieve, bouncing.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    cash = seller.control.cash()
    assert (cash["refund"], cash["refund_failure"]) == (-5_000, 2_500)


async def test_a_refund_made_pending_by_hand_settles_by_hand(seller: Seller) -> None:
    intent = await seller.paid()
    refund = seller.control.refund(intent.id, 100)
    seller.control.settle_refund(refund["id"], failed=True)
    assert seller.told[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]


async def test_a_dispute_takes_money_and_fee_at_once_and_may_be_won_even_after_it_was_lost(seller: Seller) -> None:
    intent = await seller.paid()
    dispute = seller.control.open_dispute(intent.id)
    assert seller.told[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await seller.call(seller.client.v1.refunds.create, {"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    seller.control.decide_dispute(dispute["id"], won=False)
    assert seller.told[-1] == "charge.dispute.closed"
    assert seller.control.cash()["dispute"] == -2_500
    seller.control.decide_dispute(dispute["id"], won=True)
    assert seller.told[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    found = await seller.call(seller.client.v1.disputes.list, {"payment_intent": intent.id})
    assert [(item.status, len(item.balance_transactions)) for item in found] == [("won", 2)]
    cash = seller.control.cash()
    assert cash["dispute"] + cash["dispute_reversal"] == 0
    assert cash["net"] == 2_500 - 103 - 1_500


async def test_an_inquiry_withdraws_nothing_until_it_becomes_a_dispute(seller: Seller) -> None:
    closed, escalated = await seller.paid("4000000000001976"), await seller.paid()
    inquiry = seller.control.find("dispute")[0]
    assert (inquiry["status"], inquiry["is_charge_refundable"]) == ("warning_needs_response", True)
    assert seller.control.cash()["dispute"] == 0
    await seller.call(seller.client.v1.refunds.create, {"payment_intent": closed.id, "amount": 100})
    seller.control.decide_dispute(inquiry["id"], won=True)
    assert seller.control.find("dispute")[0]["status"] == "warning_closed"
    second = seller.control.open_dispute(escalated.id, inquiry=True)
    seller.control.escalate(second["id"])
    assert seller.told[-2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    assert seller.control.cash()["dispute"] == -2_500


async def test_fraud_is_warned_of_early_by_card_or_script(seller: Seller) -> None:
    by_card, by_script = await seller.paid("4000000000005423"), await seller.paid()
    seller.control.warn_of_fraud(by_script.id)
    for intent in (by_card, by_script):
        found = await seller.call(seller.client.v1.radar.early_fraud_warnings.list, {"payment_intent": intent.id})
        again = await seller.call(seller.client.v1.radar.early_fraud_warnings.retrieve, found.data[0].id)
        assert (again.charge, again.actionable) == (intent.latest_charge, True)


async def test_a_card_that_disputes_does_so_by_itself(seller: Seller) -> None:
    intent = await seller.paid("4000000000000259")
    found = await seller.call(seller.client.v1.disputes.list, {"payment_intent": intent.id})
    assert (await seller.call(seller.client.v1.disputes.retrieve, found.data[0].id)).status == "needs_response"
    with pytest.raises(Refusal, match="cannot be disputed"):
        seller.control.open_dispute(intent.id)


async def test_the_balance_is_the_sum_of_its_movements(seller: Seller) -> None:
    intent = await seller.paid()
    await seller.call(seller.client.v1.refunds.create, {"payment_intent": intent.id, "amount": 700})
    balance = await seller.call(seller.client.v1.balance.retrieve)
    listed = await seller.call(seller.client.v1.balance_transactions.list)
    one = await seller.call(seller.client.v1.balance_transactions.retrieve, listed.data[0].id)
    assert one.reporting_category == "refund"
    assert balance.available[0].amount == sum(item.net for item in listed) == seller.control.cash()["net"]
    assert len((await seller.call(seller.client.v1.charges.list, {"payment_intent": intent.id})).data) == 1


async def test_a_card_is_saved_without_a_payment(seller: Seller) -> None:
    customer = await seller.customer()
    session = await seller.session(
        mode="setup",
        customer=customer.id,
        allowed_payment_method_types=["card"],
        setup_intent_data={"metadata": {"a": "b"}},
    )
    with pytest.raises(Refusal, match="declined"):
        seller.control.pay(session.id, DECLINED)
    assert seller.told[-1] == "setup_intent.setup_failed"
    done = seller.control.pay(session.id)
    assert (done["payment_status"], done["amount_total"]) == ("no_payment_required", None)
    intent = await seller.call(seller.client.v1.setup_intents.retrieve, done["setup_intent"])
    assert (intent.status, intent.customer, intent.metadata["a"]) == ("succeeded", customer.id, "b")
    assert len((await seller.call(seller.client.v1.setup_intents.list, {"customer": customer.id})).data) == 2
    method = await seller.call(seller.client.v1.customers.payment_methods.retrieve, customer.id, intent.payment_method)
    assert method.card.last4 == "4242"
    listed = await seller.call(seller.client.v1.payment_methods.list, {"customer": customer.id, "type": "card"})
    assert [item.id for item in listed] == [method.id]
    assert (await seller.call(seller.client.v1.payment_methods.retrieve, method.id)).customer == customer.id


async def test_pages_that_contradict_themselves_are_refused(seller: Seller) -> None:
    customer = await seller.customer()
    wrong: list[dict[str, Any]] = [
        {"customer": customer.id, "customer_email": "x@example.com"},
        {"mode": "subscription", "payment_intent_data": {"description": "x"}},
        {"mode": "subscription", "invoice_creation": {"enabled": True}},
        {"mode": "setup"},
        {"expires_at": 1},
        {"line_items": []},
        {"line_items": [{"quantity": 1}]},
        {"customer_update": {"address": "auto"}},
        {"customer": customer.id, "tax_id_collection": {"enabled": True}},
        {"customer": customer.id, "customer_creation": "always"},
    ]
    for fields in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            await seller.session(**fields)
    assert seller.control.find("checkout.session") == []


def test_every_test_card_has_a_number_of_its_own() -> None:
    assert len(CARDS) == 14
    assert all(number.isdecimal() and 15 <= len(number) <= 16 for number in CARDS)
