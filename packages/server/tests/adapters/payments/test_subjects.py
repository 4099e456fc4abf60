"""Every event Stripe can send, as the SDK lists them, is about an object of ours or of no concern; both are stated."""

import re
from pathlib import Path

import pytest
import stripe

from monkey_coder_server.adapters.payments.subjects import NOTHING, subject_of

DOCS = Path(__file__).resolve().parents[5] / "docs"
LISTED = Path(stripe.__file__).parent / "params" / "_webhook_endpoint_create_params.py"
ALL = frozenset(re.findall(r'"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"', LISTED.read_text(encoding="utf-8")))
"""What an endpoint can be told of in the pinned version."""
OURS = {
    "payment": """
        checkout.session.completed checkout.session.async_payment_succeeded checkout.session.async_payment_failed
        checkout.session.expired payment_intent.succeeded payment_intent.payment_failed payment_intent.canceled
        payment_intent.requires_action charge.refunded refund.created refund.updated refund.failed
        charge.dispute.created charge.dispute.updated charge.dispute.closed charge.dispute.funds_withdrawn
        charge.dispute.funds_reinstated radar.early_fraud_warning.created
    """,
    "invoice": """
        invoice.created invoice.finalized invoice.finalization_failed invoice.paid invoice.payment_failed
        invoice.payment_action_required invoice.overdue invoice.voided invoice.marked_uncollectible invoice.overpaid
    """,
    "subscription": """
        customer.subscription.created customer.subscription.updated customer.subscription.deleted
        customer.subscription.paused customer.subscription.resumed customer.subscription.trial_will_end
    """,
    "customer": """
        customer.updated customer.deleted customer.tax_id.created customer.tax_id.updated customer.tax_id.deleted
        payment_method.detached payment_method.automatically_updated setup_intent.succeeded setup_intent.setup_failed
    """,
}
"""What the endpoint is told to send (docs/how-to/stripe.md), by what it is about."""
NAMED = {
    "id": "its_own", "payment_intent": "of_payment", "customer": "of_customer", "invoice": "of_invoice",
    "mode": "payment",
}  # fmt: skip


@pytest.mark.parametrize(("page", "listed"), [("how-to/stripe.md", r"[ \n]"), ("explanation/payment-failures.md", "`")])
def test_the_pages_name_each_event_we_ask_for(page: str, listed: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    words = re.findall(rf"(?<={listed})([a-z_]+(?:\.[a-z_]+)+)(?=\s|{listed})", text)
    asked = {kind for kinds in OURS.values() for kind in kinds.split()}
    assert {word for word in words if word in ALL} == asked


@pytest.mark.parametrize(("about", "kind"), [(about, kind) for about, kinds in OURS.items() for kind in kinds.split()])
def test_each_event_we_ask_for_leads_to_an_object(about: str, kind: str) -> None:
    assert kind in ALL, "an event that the pinned version can send"
    assert subject_of(kind, NAMED, {})[0] == about


def test_every_event_there_is_leads_somewhere_or_is_of_no_concern() -> None:
    assert len(ALL) > 200
    found = {kind: subject_of(kind, NAMED, {}) for kind in ALL}
    assert {about for about, _ in found.values()} == {"payment", "invoice", "subscription", "customer", ""}
    assert all(bool(about) == bool(object_id) for about, object_id in found.values())
    concerned = {kind.split(".")[0] for kind, (about, _) in found.items() if about}
    assert concerned == {
        "checkout", "payment_intent", "charge", "refund", "radar", "invoice", "invoice_payment", "customer",
        "payment_method", "setup_intent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "of", "before", "subject"),
    [
        ("payment_intent.succeeded", {"id": "pi_1"}, {}, ("payment", "pi_1")),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, {}, ("payment", "pi_1")),
        ("charge.refunded", {"id": "ch_1", "payment_intent": {"id": "pi_1"}}, {}, ("payment", "pi_1")),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": None}, {}, NOTHING),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_1"}, {}, ("payment", "pi_1")),
        ("charge.refund.updated", {"id": "re_1", "payment_intent": "pi_1"}, {}, ("payment", "pi_1")),
        ("invoice.upcoming", {"id": "upcoming_in_1"}, {}, NOTHING),
        ("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1"}, {}, ("invoice", "in_1")),
        ("customer.deleted", {"id": "cus_1"}, {}, ("customer", "cus_1")),
        ("customer.source.created", {"id": "card_1"}, {}, NOTHING),
        ("payment_method.detached", {"id": "pm_1", "customer": None}, {"customer": "cus_1"}, ("customer", "cus_1")),
        ("payment_method.detached", {"id": "pm_1", "customer": None}, {}, NOTHING),
        ("checkout.session.completed", {"mode": "setup", "customer": "cus_1"}, {}, ("customer", "cus_1")),
        (
            "checkout.session.completed",
            {"mode": "subscription", "subscription": "sub_1", "payment_intent": None},
            {},
            ("subscription", "sub_1"),
        ),
        ("checkout.session.expired", {"mode": "payment", "payment_intent": None}, {}, NOTHING),
        ("v1.billing.meter.error_report_triggered", {}, {}, NOTHING),
        ("never.heard_of", {"id": "x"}, {}, NOTHING),
        ("payment_intent.succeeded", {"id": 5}, {}, NOTHING),
    ],
)
def test_what_an_event_is_about(
    kind: str, of: dict[str, object], before: dict[str, object], subject: tuple[str, str]
) -> None:
    assert subject_of(kind, of, before) == subject
