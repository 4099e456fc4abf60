"""What is asked of Stripe: customers, pages, charges, refunds, invoices. Each call has a key of ours."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monkey_coder_server.adapters.payments import looking, shapes
from monkey_coder_server.adapters.payments.shapes import shaped
from monkey_coder_server.adapters.payments.writing import (
    ACCOUNT,
    CURRENCY,
    ORDER,
    decline,
    moment,
    refusal,
    under,
    written,
)
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose, RefundSeen
from monkey_coder_server.ports.payments import CheckoutWish, HostedPage, NewCustomer, OffSessionCharge, SubscriptionSeen

if TYPE_CHECKING:
    import stripe
    from stripe import StripeClient
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

REMEMBERED = timedelta(days=90)
"""How far back it is looked whether a charge was made before."""


def create_customer(client: "StripeClient", customer: NewCustomer, key: str) -> str:
    """Make a customer; its id."""
    made = client.v1.customers.create(
        {"email": customer.email, "name": customer.name, "metadata": {ACCOUNT: customer.account_id}}, under(key)
    )
    return made.id


def checkout(client: "StripeClient", wish: CheckoutWish, key: str) -> HostedPage:
    """Make a page of Checkout: to pay once, to subscribe, or without cents to save a card."""
    metadata = written(wish.account_id, wish.purpose, wish.reference)
    params: SessionCreateParams = {
        "customer": wish.customer_id,
        "client_reference_id": wish.account_id,
        "success_url": wish.success_url,
        "cancel_url": wish.cancel_url,
        "metadata": metadata,
    }
    if not wish.cents:
        params |= {
            "mode": "setup",
            "allowed_payment_method_types": ["card"],
            "setup_intent_data": {"metadata": metadata},
        }
        return _page(client.v1.checkout.sessions.create(params, under(key)))
    params["line_items"] = [_line(wish)]
    if wish.tax:
        params["automatic_tax"] = {"enabled": True}
        params["customer_update"] = {"address": "auto", "name": "auto"}
        params["tax_id_collection"] = {"enabled": True}
    if wish.purpose is Purpose.SUBSCRIPTION:
        params |= {"mode": "subscription", "subscription_data": {"metadata": metadata}}
        return _page(client.v1.checkout.sessions.create(params, under(key)))
    params |= {
        "mode": "payment",
        "payment_intent_data": {"metadata": metadata, "description": wish.description},
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": metadata}},
    }
    if wish.save_card:
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
    return _page(client.v1.checkout.sessions.create(params, under(key)))


def _line(wish: CheckoutWish) -> "SessionCreateParamsLineItem":
    """The price is made on the spot; tax comes on top of it."""
    line: SessionCreateParamsLineItem = {
        "quantity": 1,
        "price_data": {
            "currency": CURRENCY,
            "unit_amount": wish.cents,
            "product_data": {"name": wish.description},
            "tax_behavior": "exclusive",
        },
    }
    if wish.purpose is Purpose.SUBSCRIPTION:
        line["price_data"]["recurring"] = {"interval": "month"}
    return line


def _page(answer: "stripe.checkout.Session") -> HostedPage:
    page = shaped(shapes.Session, answer)
    return HostedPage(page.id, page.url or "", moment(page.expires_at) if page.expires_at else None)


def portal(client: "StripeClient", customer_id: str, return_url: str, key: str) -> HostedPage:
    """Make a page of the customer portal."""
    made = client.v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url}, under(key))
    page = shaped(shapes.PortalSession, made)
    return HostedPage(page.id, page.url, None)


def charge(client: "StripeClient", wish: OffSessionCharge, key: str, now: datetime) -> PaymentSeen:
    """Charge a saved card, unless that was done before under the same reference, however long ago."""
    metadata = written(wish.account_id, wish.purpose, wish.reference)
    before = looking.found_by(client, metadata, since=now - REMEMBERED, customer_id=wish.customer_id)
    if before is not None:
        return before
    try:
        made = client.v1.payment_intents.create(
            {
                "amount": wish.cents,
                "currency": CURRENCY,
                "customer": wish.customer_id,
                "payment_method": wish.method_id,
                "allowed_payment_method_types": ["card"],
                "off_session": True,
                "confirm": True,
                "description": wish.description,
                "metadata": metadata,
            },
            under(key),
        )
        payment_id = made.id
    except decline() as declined:
        intent = declined.error.payment_intent if declined.error else None
        if intent is None:
            raise
        payment_id = intent.id
    seen = looking.payment(client, payment_id)
    return seen or _unseen(wish, payment_id)


def _unseen(wish: OffSessionCharge, payment_id: str) -> PaymentSeen:
    """A charge Stripe took and does not show yet: money may still come, and a webhook will tell."""
    return PaymentSeen(
        payment_id=payment_id,
        customer_id=wish.customer_id,
        account_id=wish.account_id,
        purpose=wish.purpose,
        state=PaymentState.PENDING,
        cents=0,
        reference=wish.reference,
    )


def cancel_payment(client: "StripeClient", payment_id: str, key: str) -> PaymentSeen | None:
    """End a payment; what was received or ended before stays as it is. None when there is none of that id."""
    try:
        client.v1.payment_intents.cancel(payment_id, {"cancellation_reason": "abandoned"}, under(key))
    except refusal() as over:
        if over.code not in {"payment_intent_unexpected_state", "resource_missing"}:
            raise
    return looking.payment(client, payment_id)


def remove_card(client: "StripeClient", method_id: str, key: str) -> None:
    """Detach a card; harmless when it is gone."""
    try:
        client.v1.payment_methods.detach(method_id, {}, under(key))
    except refusal() as missing:
        if missing.code not in {"resource_missing", "payment_method_unexpected_state", None}:
            raise


def refund(client: "StripeClient", payment_id: str, cents: int, order: str, key: str) -> RefundSeen:
    """Give back a part of a payment, unless that was done before for the same order, however long ago."""
    for before in looking.refunds_of(client, payment_id):
        if before.order == order:
            return before
    made = client.v1.refunds.create(
        {
            "payment_intent": payment_id,
            "amount": cents,
            "reason": "requested_by_customer",
            "metadata": {ORDER: order},
        },
        under(key),
    )
    return looking.refund_seen(made)


def end_subscription(
    client: "StripeClient", subscription_id: str, *, at_period_end: bool, key: str
) -> SubscriptionSeen:
    """End a subscription now, or let its period run out."""
    if at_period_end:
        made = client.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": True}, under(key))
    else:
        made = client.v1.subscriptions.cancel(subscription_id, {}, under(key))
    return looking.subscription_seen(made)
