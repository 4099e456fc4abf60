"""The payment processor: it moves money in and out, and what it says of money is a sight, never our record.

Amounts are cents of US dollars. Each call that changes something takes a `key` of ours: repeated under the same key,
also after a restart, it changes nothing more. The processor forgets keys after a day; a charge, a refund and an invoice
are therefore looked for by our own name of them before they are made, so that a repeat may come however late.
Ids of the processor are never logged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.payments import PaymentSeen, Purpose, RefundSeen
from monkey_coder_server.ports.record import Record


class NewCustomer(Record, frozen=True):
    """Who pays: an account, under the address and name its owner gave."""

    account_id: str
    email: str
    name: str


class CheckoutWish(Record, frozen=True):
    """A hosted page to pay on. `cents` buys credit; for a plan they are what is paid each month.

    No cents: nothing is paid, the page only takes a card to be charged later.

    `save_card`: what is paid with may be charged again when the customer is away. `reference` comes back in the
    payment's metadata. `tax`: let the processor reckon and add it.
    """

    customer_id: str
    account_id: str
    purpose: Purpose
    cents: int
    description: str
    success_url: str
    cancel_url: str
    reference: str = ""
    save_card: bool = False
    tax: bool = False


class HostedPage(Record, frozen=True):
    """Where to send a browser, and until when the page is there."""

    page_id: str
    url: str
    expires_at: datetime | None


class SavedCard(Record, frozen=True):
    """What an absent customer can be charged on: only the brand and the last four digits are ever shown."""

    method_id: str
    brand: str
    last_four: str
    expires: str
    """`2027-03`."""


class CustomerSeen(Record, frozen=True):
    """A customer as the processor knows it. `deleted`: somebody deleted it there."""

    customer_id: str
    account_id: str
    deleted: bool
    card: SavedCard | None
    live: bool


class OffSessionCharge(Record, frozen=True):
    """Charge a saved card while its owner is away. `reference` is one charge's own: asked again, none is made."""

    customer_id: str
    account_id: str
    method_id: str
    purpose: Purpose
    cents: int
    description: str
    reference: str


class SubscriptionSeen(Record, frozen=True):
    """A plan somebody pays for. `state` is the processor's word: active, past_due, canceled or another."""

    subscription_id: str
    customer_id: str
    account_id: str
    plan_id: str
    state: str
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool


class InvoiceLine(Record, frozen=True):
    """One line of an invoice of ours."""

    description: str
    cents: int


class InvoiceWish(Record, frozen=True):
    """An invoice for a month's usage; `invoice_id` is ours and comes back in its metadata."""

    customer_id: str
    account_id: str
    invoice_id: str
    lines: Sequence[InvoiceLine]
    days_until_due: int
    tax: bool = False
    charge_automatically: bool = False


class InvoiceSeen(Record, frozen=True):
    """An invoice as it stands. `reference` is our invoice's id, empty for one of a subscription or made elsewhere.

    `state` is the processor's word: draft, open, paid, void, uncollectible.
    """

    invoice_ref: str
    customer_id: str
    account_id: str
    reference: str
    subscription_id: str
    state: str
    total_cents: int
    paid_cents: int
    currency: str
    hosted_url: str
    payment_ids: tuple[str, ...]
    period_start: datetime
    period_end: datetime


class EventSeen(Record, frozen=True):
    """Something happened to an object: which, not how it stands. `object_id` is what `object_kind` is looked up by.

    `object_kind`: payment, invoice, subscription, customer, or empty for what concerns none of them (then there is no
    `object_id` either).
    """

    event_id: str
    kind: str
    at: datetime
    live: bool
    object_kind: str
    object_id: str


class PaymentGate(Protocol):
    """Every method raises `Unavailable` when the processor cannot be reached, `PaymentRefused` when it says no."""

    async def create_customer(self, customer: NewCustomer, *, key: str) -> str:
        """Make the account's customer; its id."""

    async def checkout(self, wish: CheckoutWish, *, key: str) -> HostedPage:
        """Make a page to pay on. For `Purpose.SUBSCRIPTION`, `reference` is the plan and `cents` its monthly fee."""

    async def portal(self, customer_id: str, return_url: str, *, key: str) -> HostedPage:
        """A page where a customer sees invoices and changes cards and plan."""

    async def charge(self, charge: OffSessionCharge, *, key: str) -> PaymentSeen:
        """Charge a saved card. A decline is no error: it is the state of the payment."""

    async def cancel_payment(self, payment_id: str, *, key: str) -> PaymentSeen | None:
        """End a payment that was not received, so that it never can be; how it stands, which may be received."""

    async def remove_card(self, method_id: str, *, key: str) -> None:
        """Forget a saved card; harmless when it is forgotten."""

    async def refund(self, payment_id: str, cents: int, order: str, *, key: str) -> RefundSeen:
        """Give back a part of a payment; `order` is our name of it."""

    async def send_invoice(self, wish: InvoiceWish, *, key: str) -> InvoiceSeen:
        """Make, finalise and send an invoice."""

    async def void_invoice(self, invoice_ref: str, *, key: str) -> InvoiceSeen:
        """Take an unpaid invoice back."""

    async def end_subscription(self, subscription_id: str, *, at_period_end: bool, key: str) -> SubscriptionSeen:
        """End a plan, now or when what was paid for is over."""

    async def payment(self, payment_id: str) -> PaymentSeen | None:
        """A payment with its refunds and disputes, as they stand now."""

    async def invoice(self, invoice_ref: str) -> InvoiceSeen | None:
        """An invoice as it stands now."""

    async def subscription(self, subscription_id: str) -> SubscriptionSeen | None:
        """A subscription as it stands now."""

    async def customer(self, customer_id: str) -> CustomerSeen | None:
        """A customer and the card that would be charged."""

    async def payments(self, *, start: datetime, end: datetime) -> Sequence[PaymentSeen]:
        """Every payment made in a period, and every older one refunded, disputed or warned of in it.

        Those, too, whose refund of the month before came back.
        """

    async def find_payment(self, metadata: Mapping[str, str], *, since: datetime) -> PaymentSeen | None:
        """A payment of ours by what we wrote on it: for a repeat so late that its key is forgotten."""
