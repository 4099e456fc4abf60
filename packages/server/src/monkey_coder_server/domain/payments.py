"""What was seen of money at the payment processor, as it stands there now: cents, and names that are the processor's.

Whatever is told of a payment, in whatever order, is looked up there and read into these; the books are then brought to
what was seen, so that the same final sight always leaves the same books.
"""

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What a payment is for. Ours are named in its metadata; those of invoices follow from the invoice."""

    CREDIT = "credit"
    """Bought on a hosted page."""
    TOP_UP = "top_up"
    """Bought from a saved card, because the balance fell."""
    SUBSCRIPTION = "subscription"
    """A plan's fee."""
    INVOICE = "invoice"
    """Usage on a credit line, invoiced for a month."""


class Freeze(StrEnum):
    """Why nothing may be spent of an account, the gravest first."""

    DISPUTE = "dispute"
    """A bank holds the money of a payment."""
    FRAUD_WARNING = "fraud_warning"
    """A bank suspects one. It stays until an operator lifts it."""
    DEBT = "debt"
    """More was taken back than the credit that was left."""
    OVERDUE = "overdue"
    """An invoice is long overdue, or was written off."""


FROZEN = "frozen"
"""What refuses a request of a frozen account, where other refusals name a limit."""
WHY_FROZEN = {
    Freeze.DISPUTE: (
        "This account is frozen while a bank looks at a disputed payment. If you did not mean to dispute it, tell your"
        " bank; nothing can be spent until it has decided."
    ),
    Freeze.FRAUD_WARNING: (
        "This account is frozen because a bank warned of fraud on one of its payments. Write to the gateway's operator,"
        " who can lift this."
    ),
    Freeze.DEBT: (
        "This account is frozen because a payment was taken back after its credit was spent. Buy credit: what is owed"
        " is paid from it first."
    ),
    Freeze.OVERDUE: (
        "This account is frozen because an invoice was not paid in time. `monkey invoices` shows it and where to pay"
        " it; it thaws once it is paid."
    ),
}
"""What a person is told of it."""


class DisputeState(StrEnum):
    """`OPEN` is every state before the bank decided."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class RefundState(StrEnum):
    """`PENDING` is every state before the refund is certain."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentState(StrEnum):
    """`PENDING` is every state in which money may still come."""

    PENDING = "pending"
    NEEDS_ACTION = "needs_action"
    """The customer has to prove to their bank that it is them."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSeen:
    """A refund of a payment. `order` is our own name of it from its metadata, empty for one made elsewhere.

    In the books, `refund_id` is empty while the processor has not told of an order of ours.
    """

    refund_id: str
    cents: int
    state: RefundState
    order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeSeen:
    """A payment the cardholder's bank took back for now (`withdrawn`) or for good (`LOST`).

    An inquiry withdraws nothing.
    """

    dispute_id: str
    cents: int
    state: DisputeState
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSeen:
    """A payment with all that became of it. `cents` is what was received, `tax_cents` the part of it that is tax.

    `account_id` is from its metadata, else from its customer; empty when neither is known here. `reference` is the
    top-up's, invoice's or subscription's own id.
    """

    payment_id: str
    customer_id: str
    account_id: str
    purpose: Purpose
    state: PaymentState
    cents: int
    tax_cents: int = 0
    currency: str = "usd"
    """In small letters."""
    reference: str = ""
    failure: str = ""
    early_fraud_warning: bool = False
    refunds: tuple[RefundSeen, ...] = ()
    disputes: tuple[DisputeSeen, ...] = ()
