"""Stripe's objects become sights, whatever they are found in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    Purpose,
    RefundSeen,
    RefundState,
)
from monkey_coder_server.ports.payments import CustomerSeen, InvoiceSeen, SavedCard, SubscriptionSeen
from packages.server.tests.adapters.payments import objects
from packages.server.tests.adapters.payments.stripe_double import Answer, StripeDouble, failure, listed

pytestmark = pytest.mark.system
ONE = f"/v1/payment_intents/{objects.PAYMENT}"
START, END = (datetime.fromtimestamp(at, UTC) for at in (1_790_000_000, 1_792_597_600))


async def looked(gate: StripeGate, double: StripeDouble, **changes: Any) -> PaymentSeen:
    double.on("GET", ONE, Answer(objects.payment(**changes)))
    seen = await gate.payment(objects.PAYMENT)
    assert seen is not None
    return seen


async def test_a_payment_is_seen_with_its_tax_refunds_disputes_and_warnings(
    gate: StripeGate, double: StripeDouble
) -> None:
    double.on("GET", "/v1/checkout/sessions", listed(objects.page(total_details={"amount_tax": 150})))
    double.on("GET", "/v1/refunds", listed(objects.refund(metadata={"order": "refund_1"})))
    double.on("GET", "/v1/disputes", listed(objects.dispute("needs_response", -1_150, -1_500)))
    double.on("GET", "/v1/radar/early_fraud_warnings", listed({"id": "issfr_1", "object": "radar.early_fraud_warning"}))
    assert await looked(gate, double) == PaymentSeen(
        payment_id=objects.PAYMENT,
        customer_id=objects.CUSTOMER,
        account_id="acct_1",
        purpose=Purpose.CREDIT,
        state=PaymentState.SUCCEEDED,
        cents=1_150,
        tax_cents=150,
        reference="buy_1",
        early_fraud_warning=True,
        refunds=(RefundSeen(refund_id=objects.REFUND, cents=300, state=RefundState.SUCCEEDED, order="refund_1"),),
        disputes=(
            DisputeSeen(dispute_id=objects.DISPUTE, cents=1_150, state=DisputeState.OPEN, withdrawn=True),
        ),
    )  # fmt: skip
    assert double.to("GET", "/v1/refunds")[0].fields["payment_intent"] == objects.PAYMENT


@pytest.mark.parametrize(
    ("changes", "state", "failure"),
    [
        ({"status": "processing"}, PaymentState.PENDING, ""),
        ({"status": "requires_payment_method"}, PaymentState.PENDING, ""),
        ({"status": "requires_action"}, PaymentState.NEEDS_ACTION, ""),
        ({"status": "canceled"}, PaymentState.FAILED, ""),
        (
            {"status": "canceled", "last_payment_error": {"code": "authentication_required"}},
            PaymentState.FAILED,
            "authentication_required",
        ),
        (
            {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}},
            PaymentState.FAILED,
            "card_declined",
        ),
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds"},
            },
            PaymentState.FAILED,
            "insufficient_funds",
        ),
        (
            {"status": "requires_payment_method", "last_payment_error": {"code": "authentication_required"}},
            PaymentState.NEEDS_ACTION,
            "authentication_required",
        ),
        ({"status": "succeeded", "last_payment_error": {"code": "card_declined"}}, PaymentState.SUCCEEDED, ""),
    ],
)
async def test_the_states_of_a_payment(
    gate: StripeGate, double: StripeDouble, changes: dict[str, Any], state: PaymentState, failure: str
) -> None:
    received = 1_150 if changes["status"] == "succeeded" else 0
    seen = await looked(gate, double, **changes, amount_received=received)
    assert (seen.state, seen.failure, seen.cents) == (state, failure, received)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", RefundState.PENDING),
        ("requires_action", RefundState.PENDING),
        (None, RefundState.PENDING),
        ("succeeded", RefundState.SUCCEEDED),
        ("failed", RefundState.FAILED),
        ("canceled", RefundState.FAILED),
    ],
)
async def test_the_states_of_a_refund(
    gate: StripeGate, double: StripeDouble, status: str | None, state: RefundState
) -> None:
    double.on("GET", "/v1/refunds", listed(objects.refund(status=status, metadata=None)))
    [refund] = (await looked(gate, double)).refunds
    assert (refund.state, refund.order) == (state, "")


@pytest.mark.parametrize(
    ("status", "moved", "state", "withdrawn"),
    [
        ("warning_needs_response", (), DisputeState.OPEN, False),
        ("warning_closed", (), DisputeState.WON, False),
        ("needs_response", (-1_150, -1_500), DisputeState.OPEN, True),
        ("under_review", (-1_150,), DisputeState.OPEN, True),
        ("appeal_under_review", (-1_150,), DisputeState.OPEN, True),
        ("lost", (-1_150,), DisputeState.LOST, True),
        ("won", (-1_150, 1_150), DisputeState.WON, False),
    ],
)
async def test_the_states_of_a_dispute(  # noqa: PLR0917 - a table
    gate: StripeGate, double: StripeDouble, status: str, moved: tuple[int, ...], state: DisputeState, withdrawn: bool
) -> None:
    double.on("GET", "/v1/disputes", listed(objects.dispute(status, *moved)))
    [dispute] = (await looked(gate, double)).disputes
    assert (dispute.state, dispute.withdrawn) == (state, withdrawn)


async def test_a_payment_of_our_invoice_says_which_and_its_tax(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", "/v1/invoice_payments", listed(objects.invoice_payment(objects.invoice())))
    seen = await looked(gate, double, metadata={}, customer=objects.customer(metadata={}))
    assert (seen.account_id, seen.purpose, seen.reference) == ("acct_1", Purpose.INVOICE, "inv_1")
    assert seen.tax_cents == 300
    assert double.to("GET", "/v1/invoice_payments")[0].fields["payment[payment_intent]"] == objects.PAYMENT


async def test_an_invoice_that_nobody_paid_yet_is_no_purchase(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", "/v1/invoice_payments", listed(objects.invoice_payment(objects.invoice())))
    unpaid = {"status": "requires_payment_method", "latest_charge": None, "amount_received": 0, "metadata": {}}
    seen = await looked(gate, double, **unpaid)
    assert (seen.purpose, seen.reference, seen.cents, seen.tax_cents) == (Purpose.INVOICE, "inv_1", 0, 0)


async def test_a_payment_of_a_subscription_says_which(gate: StripeGate, double: StripeDouble) -> None:
    details = {"subscription": objects.SUBSCRIPTION, "metadata": {"account_id": "acct_1", "reference": "pro"}}
    parent = {"type": "subscription_details", "subscription_details": details}
    whole = objects.invoice(parent=parent, metadata={}, total_taxes=None)
    double.on("GET", "/v1/invoice_payments", listed(objects.invoice_payment(whole)))
    seen = await looked(gate, double, metadata={}, customer=objects.customer(metadata={}))
    assert (seen.account_id, seen.purpose, seen.tax_cents) == ("acct_1", Purpose.SUBSCRIPTION, 0)
    assert seen.reference == objects.SUBSCRIPTION


async def test_a_payment_that_says_nothing_is_its_customers(gate: StripeGate, double: StripeDouble) -> None:
    seen = await looked(gate, double, metadata={})
    assert (seen.account_id, seen.purpose) == ("acct_1", Purpose.CREDIT)
    nobody = await looked(gate, double, metadata={}, customer=None)
    assert (nobody.account_id, nobody.customer_id) == ("", "")


async def test_a_customer_who_is_gone_still_has_a_name(gate: StripeGate, double: StripeDouble) -> None:
    gone = {"id": objects.CUSTOMER, "object": "customer", "deleted": True}
    seen = await looked(gate, double, customer=gone)
    assert (seen.customer_id, seen.account_id) == (objects.CUSTOMER, "acct_1")


async def test_what_was_never_charged_is_asked_for_once(gate: StripeGate, double: StripeDouble) -> None:
    await looked(gate, double, status="requires_payment_method", latest_charge=None, amount_received=0)
    assert len(double.asked) == 1


async def test_what_is_not_there_is_nothing(gate: StripeGate, double: StripeDouble) -> None:
    for path in ("payment_intents/x", "invoices/x", "subscriptions/x", "customers/x"):
        double.on("GET", f"/v1/{path}", failure(404, code="resource_missing", param="id"))
    assert await gate.payment("x") is None
    assert await gate.invoice("x") is None
    assert await gate.subscription("x") is None
    assert await gate.customer("x") is None


async def test_an_invoice_is_seen_with_what_paid_it(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", f"/v1/invoices/{objects.INVOICE}", Answer(objects.invoice()))
    assert await gate.invoice(objects.INVOICE) == InvoiceSeen(
        invoice_ref=objects.INVOICE,
        customer_id=objects.CUSTOMER,
        account_id="acct_1",
        reference="inv_1",
        subscription_id="",
        state="paid",
        total_cents=2_300,
        paid_cents=2_300,
        currency="usd",
        hosted_url="https://invoice.stripe.com/i/canary",
        payment_ids=(objects.PAYMENT,),
        period_start=START,
        period_end=END,
    )


async def test_a_subscription_is_seen_with_its_plan_and_period(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", f"/v1/subscriptions/{objects.SUBSCRIPTION}", Answer(objects.subscription()))
    assert await gate.subscription(objects.SUBSCRIPTION) == SubscriptionSeen(
        subscription_id=objects.SUBSCRIPTION,
        customer_id=objects.CUSTOMER,
        account_id="acct_1",
        plan_id="pro",
        state="active",
        period_start=START,
        period_end=END,
        cancel_at_period_end=False,
    )


async def test_a_customer_is_seen_with_the_card_that_would_be_charged(gate: StripeGate, double: StripeDouble) -> None:
    chosen = {"id": objects.METHOD, "object": "payment_method", "card": objects.CARD}
    at = f"/v1/customers/{objects.CUSTOMER}"
    without = Answer(objects.customer())
    preferring = Answer(objects.customer(invoice_settings={"default_payment_method": chosen}))
    gone = Answer({"id": objects.CUSTOMER, "object": "customer", "deleted": True})
    double.on("GET", at, preferring, without, without, gone)
    card = SavedCard(objects.METHOD, "visa", "4242", "2031-03")
    seen = CustomerSeen(objects.CUSTOMER, "acct_1", deleted=False, card=card, live=False)
    assert await gate.customer(objects.CUSTOMER) == seen
    double.on("GET", f"{at}/payment_methods", listed(chosen), listed())
    assert await gate.customer(objects.CUSTOMER) == seen
    bare = await gate.customer(objects.CUSTOMER)
    assert bare is not None
    assert bare.card is None
    deleted = await gate.customer(objects.CUSTOMER)
    assert deleted is not None
    assert (deleted.deleted, deleted.card) == (True, None)


async def test_a_period_holds_what_was_paid_and_what_became_of_older_payments(
    gate: StripeGate, double: StripeDouble
) -> None:
    double.on("GET", "/v1/payment_intents", listed(objects.payment()))
    double.on("GET", "/v1/refunds", listed(objects.refund(payment_intent="pi_older"), objects.refund()))
    for payment_id in (objects.PAYMENT, "pi_older"):
        double.on("GET", f"/v1/payment_intents/{payment_id}", Answer(objects.payment(id=payment_id)))
    found = await gate.payments(start=START, end=END)
    assert [each.payment_id for each in found] == [objects.PAYMENT, "pi_older"]
    asked = double.to("GET", "/v1/payment_intents")[0].fields
    assert (asked["created[gte]"], asked["created[lt]"]) == ("1790000000", "1792597600")


async def test_a_refund_that_came_back_from_the_bank_is_of_the_period_however_old(
    gate: StripeGate, double: StripeDouble
) -> None:
    before = {"created": 1_789_000_000, "payment_intent": "pi_older"}
    double.on("GET", "/v1/payment_intents", listed())
    double.on("GET", "/v1/payment_intents/pi_older", Answer(objects.payment(id="pi_older")))
    for status, found in (("succeeded", []), ("failed", ["pi_older"])):
        double.on("GET", "/v1/refunds", listed(objects.refund(status=status, **before)))
        assert [each.payment_id for each in await gate.payments(start=START, end=END)] == found
    assert double.to("GET", "/v1/refunds")[0].fields["created[gte]"] == str(1_790_000_000 - 30 * 86_400)


async def test_a_payment_is_found_by_what_is_written_on_it(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", "/v1/payment_intents", listed(objects.payment(id="pi_other", metadata={}), objects.payment()))
    double.on("GET", ONE, Answer(objects.payment()))
    found = await gate.find_payment({"reference": "buy_1"}, since=START)
    assert found is not None
    assert found.payment_id == objects.PAYMENT
    assert await gate.find_payment({"reference": "buy_2"}, since=START) is None
    assert {each.fields["created[gte]"] for each in double.to("GET", "/v1/payment_intents")} == {"1790000000"}


async def test_an_answer_of_another_shape_is_no_sight(gate: StripeGate, double: StripeDouble) -> None:
    with pytest.raises(Unavailable, match="cannot read"):
        await looked(gate, double, amount_received="many")
