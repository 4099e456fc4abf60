"""The parts of Stripe's objects that are read, as its API of version 2026-10-28.endive sends them.

What is of another shape raises `msgspec.ValidationError`, which names a field and a type, never a value.
Source: https://docs.stripe.com/api, and the SDK's own classes.
"""

from typing import Any, TypeVar

import msgspec

Metadata = dict[str, str]
S = TypeVar("S", bound=msgspec.Struct)


class Card(msgspec.Struct):
    """What may be shown of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


class PaymentMethod(msgspec.Struct):
    """A way to pay; `card` only for cards."""

    id: str
    card: Card | None = None


class InvoiceSettings(msgspec.Struct):
    """Which method invoices are paid with, expanded."""

    default_payment_method: PaymentMethod | None = None


class Customer(msgspec.Struct):
    """A customer, or what is left of one."""

    id: str
    deleted: bool = False
    livemode: bool = False
    metadata: Metadata = {}
    invoice_settings: InvoiceSettings | None = None


class TotalDetails(msgspec.Struct):
    """What a total is made of."""

    amount_tax: int


class Session(msgspec.Struct):
    """A page of Checkout."""

    id: str
    url: str | None = None
    expires_at: int | None = None
    total_details: TotalDetails | None = None


class PortalSession(msgspec.Struct):
    """A page of the customer portal."""

    id: str
    url: str


class PaymentError(msgspec.Struct):
    """Why the last try to pay failed."""

    code: str | None = None
    decline_code: str | None = None


class Payment(msgspec.Struct):
    """A PaymentIntent, its customer expanded."""

    id: str
    status: str
    amount_received: int
    currency: str
    latest_charge: str | None = None
    customer: Customer | None = None
    metadata: Metadata = {}
    last_payment_error: PaymentError | None = None


class Refund(msgspec.Struct):
    """Money on its way back."""

    id: str
    amount: int
    status: str | None = None
    metadata: Metadata | None = None


class BalanceTransaction(msgspec.Struct):
    """What moved on our balance at Stripe."""

    amount: int


class Dispute(msgspec.Struct):
    """A payment the cardholder's bank asks back, or asks about."""

    id: str
    amount: int
    status: str
    balance_transactions: list[BalanceTransaction] = []


class Tax(msgspec.Struct):
    """A part of an invoice's total that is tax."""

    amount: int


class SubscriptionDetails(msgspec.Struct):
    """Of which subscription an invoice is, and what was written on that when it was made."""

    subscription: str
    metadata: Metadata | None = None


class Parent(msgspec.Struct):
    """What made an invoice."""

    subscription_details: SubscriptionDetails | None = None


class PaidBy(msgspec.Struct):
    """What an invoice is paid with."""

    type: str
    payment_intent: str | None = None


class InvoicePayment(msgspec.Struct):
    """A payment of an invoice. The invoice is expanded where payments are listed by what paid."""

    payment: PaidBy
    invoice: "Invoice | str"


class InvoicePayments(msgspec.Struct):
    """Those of one invoice; more than a page of them there never are."""

    data: list[InvoicePayment]


class Invoice(msgspec.Struct):
    """An invoice as it stands. `payments` where asked for."""

    id: str
    status: str | None
    total: int
    amount_paid: int
    currency: str
    period_start: int
    period_end: int
    customer: str | None = None
    hosted_invoice_url: str | None = None
    metadata: Metadata | None = None
    parent: Parent | None = None
    payments: InvoicePayments | None = None
    total_taxes: list[Tax] | None = None


class SubscriptionItem(msgspec.Struct):
    """What is subscribed to, and the period that is paid for."""

    current_period_start: int
    current_period_end: int


class SubscriptionItems(msgspec.Struct):
    """Those of one subscription."""

    data: list[SubscriptionItem]


class Subscription(msgspec.Struct):
    """A subscription as it stands."""

    id: str
    status: str
    customer: str
    cancel_at_period_end: bool
    items: SubscriptionItems
    metadata: Metadata = {}


def shaped(shape: type[S], answer: Any) -> S:
    """An object of the SDK in our shape. Raises `msgspec.ValidationError`."""
    return msgspec.convert(answer.to_dict(), shape)
