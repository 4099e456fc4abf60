"""Payments, invoices, subscriptions and customers as they stand at Stripe now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from monkey_coder_server.adapters.payments import shapes
from monkey_coder_server.adapters.payments.shapes import shaped
from monkey_coder_server.adapters.payments.writing import (
    ACCOUNT,
    INVOICE,
    ORDER,
    PAGE,
    REFERENCE,
    moment,
    purpose_of,
    refusal,
    seconds,
)
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

if TYPE_CHECKING:
    import stripe
    from stripe import Dispute, Refund, StripeClient
    from stripe.radar import EarlyFraudWarning

    _OfPayment = Refund | Dispute | EarlyFraudWarning

MAY_COME_BACK = timedelta(days=30)
"""A bank may send a refund back so long after it was made. Source: https://docs.stripe.com/refunds#failed-refunds"""
_NOT_THERE = "resource_missing"
_REFUND_STATES = {"succeeded": RefundState.SUCCEEDED, "failed": RefundState.FAILED, "canceled": RefundState.FAILED}
_DISPUTE_STATES = {
    "lost": DisputeState.LOST,
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
}
"""An inquiry that ended took nothing; what is prevented is refunded, which is seen as a refund."""


def payment(client: "StripeClient", payment_id: str) -> PaymentSeen | None:
    """A payment with all that became of it; None when there is none of that id."""
    try:
        found = client.v1.payment_intents.retrieve(payment_id, {"expand": ["customer"]})
    except refusal() as missing:
        if missing.code != _NOT_THERE:
            raise
        return None
    return _seen(client, shaped(shapes.Payment, found))


def payments(client: "StripeClient", start: datetime, end: datetime) -> Sequence[PaymentSeen]:
    """Those made in a period, and older ones that were refunded, disputed or warned of in it.

    Those, too, whose refund of the month before came back.
    """
    ids = dict.fromkeys(_concerned(client, seconds(start), seconds(end)))
    looked = [payment(client, payment_id) for payment_id in ids]
    return [each for each in looked if each is not None]


def _concerned(client: "StripeClient", start: int, end: int) -> Iterator[str]:
    for made in client.v1.payment_intents.list(
        {"created": {"gte": start, "lt": end}, "limit": PAGE}
    ).auto_paging_iter():
        yield made.id
    later: Iterable[_OfPayment] = chain(
        _refunds(client, start, end),
        client.v1.disputes.list({"created": {"gte": start, "lt": end}, "limit": PAGE}).auto_paging_iter(),
        client.v1.radar.early_fraud_warnings.list(
            {"created": {"gte": start, "lt": end}, "limit": PAGE}
        ).auto_paging_iter(),
    )
    for each in later:
        if each.payment_intent is not None:
            yield each.payment_intent if isinstance(each.payment_intent, str) else each.payment_intent.id


def _refunds(client: "StripeClient", start: int, end: int) -> "Iterator[Refund]":
    """Those of a period, and older ones that came back from the customer's bank."""
    since = start - int(MAY_COME_BACK.total_seconds())
    for each in client.v1.refunds.list({"created": {"gte": since, "lt": end}, "limit": PAGE}).auto_paging_iter():
        if each.created >= start or _REFUND_STATES.get(each.status or "") is RefundState.FAILED:
            yield each


def found_by(
    client: "StripeClient", metadata: Mapping[str, str], *, since: datetime, customer_id: str = ""
) -> PaymentSeen | None:
    """A payment of ours by what we wrote on it, the newest; of one customer where one is named."""
    made = client.v1.payment_intents.list(
        {"created": {"gte": seconds(since)}, "limit": PAGE, "customer": customer_id}
        if customer_id
        else {"created": {"gte": seconds(since)}, "limit": PAGE}
    )
    for each in made.auto_paging_iter():
        if metadata.items() <= each.metadata.to_dict().items():
            return payment(client, each.id)
    return None


def refunds_of(client: "StripeClient", payment_id: str) -> tuple[RefundSeen, ...]:
    """Every refund of a payment, also those that failed."""
    listed = client.v1.refunds.list({"payment_intent": payment_id, "limit": PAGE})
    return tuple(refund_seen(each) for each in listed.auto_paging_iter())


def refund_seen(answer: "stripe.Refund") -> RefundSeen:
    """A refund as it stands."""
    refund = shaped(shapes.Refund, answer)
    state = _REFUND_STATES.get(refund.status or "", RefundState.PENDING)
    order = (refund.metadata or {}).get(ORDER, "")
    return RefundSeen(refund_id=refund.id, cents=refund.amount, state=state, order=order)


def _seen(client: "StripeClient", found: shapes.Payment) -> PaymentSeen:
    charged = found.latest_charge is not None
    origin = _origin(client, found)
    error = found.last_payment_error
    return PaymentSeen(
        payment_id=found.id,
        customer_id=found.customer.id if found.customer else "",
        account_id=origin.account_id,
        purpose=origin.purpose,
        state=_state(found),
        cents=found.amount_received,
        tax_cents=origin.tax_cents if found.amount_received else 0,
        currency=found.currency.lower(),
        reference=origin.reference,
        failure=(error.decline_code or error.code or "unknown") if error and found.status != "succeeded" else "",
        early_fraud_warning=charged and _warned(client, found.id),
        refunds=refunds_of(client, found.id) if charged else (),
        disputes=_disputes(client, found.id) if charged else (),
    )


def _state(found: shapes.Payment) -> PaymentState:
    error = found.last_payment_error
    if found.status == "succeeded":
        return PaymentState.SUCCEEDED
    if found.status == "canceled":
        return PaymentState.FAILED
    if found.status == "requires_action" or (error and error.code == "authentication_required"):
        return PaymentState.NEEDS_ACTION
    if error and found.status == "requires_payment_method":
        return PaymentState.FAILED
    return PaymentState.PENDING


class _Origin:
    """What a payment is for, for whom, and how much of it is tax, as far as it says so itself."""

    def __init__(self, found: shapes.Payment) -> None:
        of_customer = found.customer.metadata if found.customer else {}
        self.account_id = found.metadata.get(ACCOUNT) or of_customer.get(ACCOUNT, "")
        self.purpose = purpose_of(found.metadata) or Purpose.CREDIT
        self.reference = found.metadata.get(REFERENCE, "")
        self.tax_cents = 0


def _origin(client: "StripeClient", found: shapes.Payment) -> _Origin:
    """From its metadata, else from the invoice it pays; tax from its page of Checkout, or from that invoice."""
    origin, purpose = _Origin(found), purpose_of(found.metadata)
    if purpose is Purpose.CREDIT and found.latest_charge is not None:
        pages = client.v1.checkout.sessions.list({"payment_intent": found.id, "limit": 1})
        for page in pages.data:
            totals = shaped(shapes.Session, page).total_details
            origin.tax_cents = totals.amount_tax if totals else 0
    elif purpose is None:
        _from_invoice(client, found.id, origin)
    return origin


def _from_invoice(client: "StripeClient", payment_id: str, origin: _Origin) -> None:
    listed = client.v1.invoice_payments.list(
        {
            "payment": {"type": "payment_intent", "payment_intent": payment_id},
            "limit": 1,
            "expand": ["data.invoice"],
        }
    )
    for each in listed.data:
        invoice = shaped(shapes.InvoicePayment, each).invoice
        if isinstance(invoice, str):
            continue
        details = invoice.parent.subscription_details if invoice.parent else None
        metadata = {**((details and details.metadata) or {}), **(invoice.metadata or {})}
        origin.account_id = metadata.get(ACCOUNT) or origin.account_id
        origin.tax_cents = sum(tax.amount for tax in invoice.total_taxes or ())
        if details is not None:
            origin.purpose, origin.reference = Purpose.SUBSCRIPTION, details.subscription
        elif metadata.get(INVOICE):
            origin.purpose, origin.reference = Purpose.INVOICE, metadata[INVOICE]


def _warned(client: "StripeClient", payment_id: str) -> bool:
    return bool(client.v1.radar.early_fraud_warnings.list({"payment_intent": payment_id, "limit": 1}).data)


def _disputes(client: "StripeClient", payment_id: str) -> tuple[DisputeSeen, ...]:
    listed = client.v1.disputes.list({"payment_intent": payment_id, "limit": PAGE})
    return tuple(_dispute(shaped(shapes.Dispute, each)) for each in listed.auto_paging_iter())


def _dispute(dispute: shapes.Dispute) -> DisputeSeen:
    """Whether money is gone shows in what moved: it is taken, and given back when we win."""
    moved = sum(each.amount for each in dispute.balance_transactions)
    return DisputeSeen(
        dispute_id=dispute.id,
        cents=dispute.amount,
        state=_DISPUTE_STATES.get(dispute.status, DisputeState.OPEN),
        withdrawn=moved < 0,
    )


def invoice(client: "StripeClient", invoice_ref: str) -> InvoiceSeen | None:
    """An invoice with what paid it; None when there is none of that id."""
    try:
        return invoice_seen(client.v1.invoices.retrieve(invoice_ref, {"expand": ["payments"]}))
    except refusal() as missing:
        if missing.code != _NOT_THERE:
            raise
        return None


def invoice_seen(answer: "stripe.Invoice") -> InvoiceSeen:
    """An invoice as it stands."""
    found = shaped(shapes.Invoice, answer)
    details = found.parent.subscription_details if found.parent else None
    metadata = {**((details and details.metadata) or {}), **(found.metadata or {})}
    paid_by = [each.payment.payment_intent for each in found.payments.data] if found.payments else []
    return InvoiceSeen(
        invoice_ref=found.id,
        customer_id=found.customer or "",
        account_id=metadata.get(ACCOUNT, ""),
        reference=metadata.get(INVOICE, ""),
        subscription_id=details.subscription if details else "",
        state=found.status or "draft",
        total_cents=found.total,
        paid_cents=found.amount_paid,
        currency=found.currency.lower(),
        hosted_url=found.hosted_invoice_url or "",
        payment_ids=tuple(each for each in paid_by if each),
        period_start=moment(found.period_start),
        period_end=moment(found.period_end),
    )


def subscription(client: "StripeClient", subscription_id: str) -> SubscriptionSeen | None:
    """A subscription; None when there is none of that id."""
    try:
        return subscription_seen(client.v1.subscriptions.retrieve(subscription_id))
    except refusal() as missing:
        if missing.code != _NOT_THERE:
            raise
        return None


def subscription_seen(answer: "stripe.Subscription") -> SubscriptionSeen:
    """A subscription as it stands. Its period is that of its one item."""
    found = shaped(shapes.Subscription, answer)
    item = found.items.data[0]
    return SubscriptionSeen(
        subscription_id=found.id,
        customer_id=found.customer,
        account_id=found.metadata.get(ACCOUNT, ""),
        plan_id=found.metadata.get(REFERENCE, ""),
        state=found.status,
        period_start=moment(item.current_period_start),
        period_end=moment(item.current_period_end),
        cancel_at_period_end=found.cancel_at_period_end,
    )


def customer(client: "StripeClient", customer_id: str) -> CustomerSeen | None:
    """A customer and the card that would be charged; None when there is none of that id."""
    expanded = "invoice_settings.default_payment_method"
    try:
        answer = client.v1.customers.retrieve(customer_id, {"expand": [expanded]})
    except refusal() as missing:
        if missing.code != _NOT_THERE:
            raise
        return None
    found = shaped(shapes.Customer, answer)
    return CustomerSeen(
        customer_id=found.id,
        account_id=found.metadata.get(ACCOUNT, ""),
        deleted=found.deleted,
        card=None if found.deleted else _card(client, found),
        live=found.livemode,
    )


def _card(client: "StripeClient", found: shapes.Customer) -> SavedCard | None:
    """The card invoices are paid with, else the one that was saved last."""
    chosen = found.invoice_settings.default_payment_method if found.invoice_settings else None
    saved = client.v1.customers.payment_methods.list(found.id, {"type": "card", "limit": 1}) if not chosen else None
    methods = [chosen] if chosen else [shaped(shapes.PaymentMethod, each) for each in (saved.data if saved else ())]
    for method in methods:
        if method.card is not None:
            expires = f"{method.card.exp_year:04}-{method.card.exp_month:02}"
            return SavedCard(method.id, method.card.brand, method.card.last4, expires)
    return None
