"""What is asked of Stripe: in which words, under which key, and never twice."""

from typing import Any

import pytest

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.domain.errors import PaymentRefused
from monkey_coder_server.domain.payments import PaymentState, Purpose, RefundState
from monkey_coder_server.ports.payments import CheckoutWish, InvoiceLine, InvoiceWish, NewCustomer, OffSessionCharge
from packages.server.tests.adapters.payments import objects
from packages.server.tests.adapters.payments.stripe_double import Answer, StripeDouble, failure, listed

pytestmark = pytest.mark.system
INTENTS, INVOICES, ITEMS = "/v1/payment_intents", "/v1/invoices", "/v1/invoiceitems"


def wish(purpose: Purpose = Purpose.CREDIT, **changes: Any) -> CheckoutWish:
    return CheckoutWish(
        **{
            "customer_id": objects.CUSTOMER, "account_id": "acct_1", "purpose": purpose, "cents": 1_000,
            "description": "Credit", "success_url": "https://x/ok", "cancel_url": "https://x/no",
            "reference": "buy_1", **changes,
        }
    )  # fmt: skip


CHARGE = OffSessionCharge(
    objects.CUSTOMER, "acct_1", objects.METHOD, Purpose.TOP_UP, 2_000, "Automatic top-up", "topup_1"
)


async def page_of(gate: StripeGate, double: StripeDouble, asked: CheckoutWish) -> dict[str, str]:
    double.on("POST", "/v1/checkout/sessions", Answer(objects.page()))
    made = await gate.checkout(asked, key="acct_1:buy_1")
    assert (made.page_id, made.url) == (objects.PAGE, "https://checkout.stripe.com/c/canary")
    assert made.expires_at is not None
    [request] = double.to("POST", "/v1/checkout/sessions")
    assert request.headers["idempotency-key"] == "acct_1:buy_1"
    assert request.headers["stripe-version"] == "2026-10-28.endive"
    return dict(request.fields)


async def test_a_customer_bears_its_account(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", "/v1/customers", Answer(objects.customer()))
    assert await gate.create_customer(NewCustomer("acct_1", "me@x.example", "Me"), key="k") == objects.CUSTOMER
    [request] = double.to("POST", "/v1/customers")
    assert request.fields == {"email": "me@x.example", "name": "Me", "metadata[account_id]": "acct_1"}


async def test_a_page_for_credit(gate: StripeGate, double: StripeDouble) -> None:
    fields = await page_of(gate, double, wish(save_card=True))
    assert fields["mode"] == "payment"
    assert fields["line_items[0][price_data][unit_amount]"] == "1000"
    assert fields["line_items[0][price_data][currency]"] == "usd"
    assert fields["payment_intent_data[setup_future_usage]"] == "off_session"
    assert fields["payment_intent_data[metadata][account_id]"] == "acct_1"
    assert fields["payment_intent_data[metadata][purpose]"] == "credit"
    assert fields["payment_intent_data[metadata][reference]"] == "buy_1"
    assert fields["invoice_creation[enabled]"] == "true"
    assert not [name for name in fields if "tax_" in name.replace("tax_behavior", "") or "recurring" in name]


async def test_a_page_for_a_plan_with_tax(gate: StripeGate, double: StripeDouble) -> None:
    fields = await page_of(gate, double, wish(Purpose.SUBSCRIPTION, reference="pro", tax=True))
    assert fields["mode"] == "subscription"
    assert fields["line_items[0][price_data][recurring][interval]"] == "month"
    assert fields["subscription_data[metadata][reference]"] == "pro"
    assert fields["automatic_tax[enabled]"] == "true"
    assert fields["customer_update[address]"] == "auto"
    assert "payment_intent_data[description]" not in fields


async def test_a_page_that_only_saves_a_card(gate: StripeGate, double: StripeDouble) -> None:
    fields = await page_of(gate, double, wish(cents=0))
    assert (fields["mode"], fields["allowed_payment_method_types[0]"]) == ("setup", "card")
    assert not [name for name in fields if "line_items" in name]


async def test_the_portal(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", "/v1/billing_portal/sessions", Answer({"id": "bps_1", "url": "https://billing.stripe.com/p"}))
    page = await gate.portal(objects.CUSTOMER, "https://x/back", key="k")
    assert (page.url, page.expires_at) == ("https://billing.stripe.com/p", None)


async def test_a_charge_while_its_owner_is_away(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", INTENTS, Answer(objects.payment()))
    paid = objects.payment(metadata={"account_id": "acct_1", "purpose": "top_up", "reference": "topup_1"})
    double.on("GET", f"{INTENTS}/{objects.PAYMENT}", Answer(paid))
    seen = await gate.charge(CHARGE, key="topup_1")
    assert (seen.state, seen.purpose, seen.reference) == (PaymentState.SUCCEEDED, Purpose.TOP_UP, "topup_1")
    [request] = double.to("POST", INTENTS)
    assert request.headers["idempotency-key"] == "topup_1"
    assert (request.fields["off_session"], request.fields["confirm"], request.fields["amount"]) == (
        "true", "true", "2000"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "state"),
    [("card_declined", PaymentState.FAILED), ("authentication_required", PaymentState.NEEDS_ACTION)],
)
async def test_a_decline_is_a_state(gate: StripeGate, double: StripeDouble, code: str, state: PaymentState) -> None:
    declined = objects.payment(
        status="requires_payment_method", amount_received=0, last_payment_error={"code": code}, latest_charge=None
    )
    error = {"type": "card_error", "code": code, "message": objects.PAYMENT, "payment_intent": declined}
    double.on("POST", INTENTS, Answer({"error": error}, 402))
    double.on("GET", f"{INTENTS}/{objects.PAYMENT}", Answer(declined))
    seen = await gate.charge(CHARGE, key="topup_1")
    assert (seen.state, seen.failure, seen.cents) == (state, code, 0)


async def test_a_charge_that_does_not_show_yet_may_still_come(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", INTENTS, Answer(objects.payment()))
    double.on("GET", f"{INTENTS}/{objects.PAYMENT}", failure(404, code="resource_missing", param="intent"))
    seen = await gate.charge(CHARGE, key="topup_1")
    assert (seen.state, seen.cents, seen.reference) == (PaymentState.PENDING, 0, "topup_1")


async def test_a_charge_asked_for_again_after_its_key_is_forgotten_is_found_by_what_is_written_on_it(
    gate: StripeGate, double: StripeDouble
) -> None:
    before = objects.payment(metadata={"account_id": "acct_1", "purpose": "top_up", "reference": "topup_1"})
    double.on("GET", INTENTS, listed(objects.payment(id="pi_other"), before))
    double.on("GET", f"{INTENTS}/{objects.PAYMENT}", Answer(before))
    seen = await gate.charge(CHARGE, key="topup_1")
    assert seen.payment_id == objects.PAYMENT
    assert not double.to("POST", INTENTS)
    assert double.to("GET", INTENTS)[0].fields["customer"] == objects.CUSTOMER


async def test_a_refund_asked_for_again_is_found_by_its_order(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", "/v1/refunds", listed(objects.refund(metadata={"order": "other"})))
    double.on("POST", "/v1/refunds", Answer(objects.refund(status="pending", metadata={"order": "order_1"})))
    made = await gate.refund(objects.PAYMENT, 300, "order_1", key="order_1")
    assert (made.state, made.order) == (RefundState.PENDING, "order_1")
    double.on("GET", "/v1/refunds", listed(objects.refund(metadata={"order": "order_1"})))
    again = await gate.refund(objects.PAYMENT, 300, "order_1", key="order_1")
    assert (again.refund_id, again.state) == (made.refund_id, RefundState.SUCCEEDED)
    assert len(double.to("POST", "/v1/refunds")) == 1


@pytest.mark.parametrize("over", [None, "payment_intent_unexpected_state", "resource_missing"])
async def test_a_payment_is_ended_or_told_as_it_stands(
    gate: StripeGate, double: StripeDouble, over: str | None
) -> None:
    stands = objects.payment() if over else objects.payment(status="canceled", amount_received=0, latest_charge=None)
    double.on("POST", f"{INTENTS}/{objects.PAYMENT}/cancel", failure(400, code=over) if over else Answer(stands))
    double.on("GET", f"{INTENTS}/{objects.PAYMENT}", Answer(stands))
    seen = await gate.cancel_payment(objects.PAYMENT, key="topup_1:cancel")
    assert seen is not None
    assert seen.state is (PaymentState.SUCCEEDED if over else PaymentState.FAILED)


async def test_a_payment_that_cannot_be_ended_is_no_sight(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", f"{INTENTS}/{objects.PAYMENT}/cancel", failure(400, code="parameter_unknown"))
    with pytest.raises(PaymentRefused):
        await gate.cancel_payment(objects.PAYMENT, key="topup_1:cancel")


async def test_a_card_is_forgotten_once(gate: StripeGate, double: StripeDouble) -> None:
    at = f"/v1/payment_methods/{objects.METHOD}/detach"
    double.on("POST", at, Answer({"id": objects.METHOD, "object": "payment_method"}), failure(400))
    for _ in range(2):
        await gate.remove_card(objects.METHOD, key="k")
    assert len(double.to("POST", at)) == 2


@pytest.mark.parametrize("later", [True, False])
async def test_a_subscription_ends(gate: StripeGate, double: StripeDouble, later: bool) -> None:
    at = f"/v1/subscriptions/{objects.SUBSCRIPTION}"
    double.on("POST", at, Answer(objects.subscription(cancel_at_period_end=True)))
    double.on("DELETE", at, Answer(objects.subscription(status="canceled")))
    seen = await gate.end_subscription(objects.SUBSCRIPTION, at_period_end=later, key="k")
    assert (seen.cancel_at_period_end, seen.state) == ((True, "active") if later else (False, "canceled"))


INVOICE = InvoiceWish(
    objects.CUSTOMER, "acct_1", "inv_1", [InvoiceLine("gpt", 1_500), InvoiceLine("claude", 800)], days_until_due=14
)


async def test_an_invoice_is_made_line_by_line_finalised_and_sent(gate: StripeGate, double: StripeDouble) -> None:
    at = f"{INVOICES}/{objects.INVOICE}"
    double.on("POST", INVOICES, Answer(objects.invoice(status="draft")))
    double.on("POST", ITEMS, Answer({"id": "ii_1", "object": "invoiceitem"}))
    double.on("POST", f"{at}/finalize", Answer(objects.invoice(status="open")))
    double.on("POST", f"{at}/send", Answer(objects.invoice(status="open", amount_paid=0)))
    seen = await gate.send_invoice(INVOICE, key="inv_1")
    assert (seen.state, seen.paid_cents, seen.reference) == ("open", 0, "inv_1")
    [draft] = double.to("POST", INVOICES)
    assert (draft.fields["collection_method"], draft.fields["days_until_due"]) == ("send_invoice", "14")
    assert draft.fields["pending_invoice_items_behavior"] == "exclude"
    lines = double.to("POST", ITEMS)
    assert [(each.fields["amount"], each.fields["description"]) for each in lines] == [
        ("1500", "gpt"),
        ("800", "claude"),
    ]
    keys = [each.headers["idempotency-key"] for each in double.asked if each.method == "POST"]
    assert keys == ["inv_1:draft", "inv_1:line-0", "inv_1:line-1", "inv_1:finalize", "inv_1:send"]


async def test_an_invoice_that_broke_off_is_gone_on_with(gate: StripeGate, double: StripeDouble) -> None:
    at = f"{INVOICES}/{objects.INVOICE}"
    double.on("GET", INVOICES, listed(objects.invoice(id="in_other", metadata={}), objects.invoice(status="draft")))
    double.on("GET", ITEMS, listed({"id": "ii_1", "object": "invoiceitem", "metadata": {"line": "0"}}))
    double.on("POST", ITEMS, Answer({"id": "ii_2", "object": "invoiceitem"}))
    double.on("POST", f"{at}/finalize", Answer(objects.invoice(status="paid")))
    assert (await gate.send_invoice(INVOICE, key="inv_1")).state == "paid"
    assert [each.fields["description"] for each in double.to("POST", ITEMS)] == ["claude"]
    assert not double.to("POST", INVOICES)


async def test_an_invoice_that_was_sent_is_not_sent_again(gate: StripeGate, double: StripeDouble) -> None:
    double.on("GET", INVOICES, listed(objects.invoice(status="open")))
    assert (await gate.send_invoice(INVOICE, key="inv_1")).state == "open"
    assert not [each for each in double.asked if each.method == "POST"]


async def test_an_invoice_is_taken_back_once(gate: StripeGate, double: StripeDouble) -> None:
    at = f"{INVOICES}/{objects.INVOICE}"
    double.on("GET", at, Answer(objects.invoice(status="open")), Answer(objects.invoice(status="void")))
    double.on("POST", f"{at}/void", Answer(objects.invoice(status="void")))
    for _ in range(2):
        assert (await gate.void_invoice(objects.INVOICE, key="k")).state == "void"
    assert len(double.to("POST", f"{at}/void")) == 1
