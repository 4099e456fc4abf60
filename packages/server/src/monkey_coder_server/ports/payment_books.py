"""The books of what customers pay: sights of payments become movements, whatever the order and however often.

Cents are the processor's, all other amounts nano-dollars. Every call is one transaction, durable on return, and raises
`Unavailable`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.ledger import DEFAULT_PRIORITY
from monkey_coder_server.domain.payments import PaymentSeen
from monkey_coder_server.ports.record import Record


class Entitlement(Record, frozen=True):
    """The credit a payment gives where that is not what was paid: a plan's for its fee, a line's for its invoice.

    A plan's credit comes out of the fee up to its size, the rest from promotions; a line's is what can be used again.
    """

    credit: int
    expires_at: datetime | None = None
    priority: int = DEFAULT_PRIORITY


class Standing(Record, frozen=True):
    """What stands between an account and its next request beside its balance.

    `debt` is what was taken back by banks and refunds beyond the credit that was there. `frozen` says why nothing may
    be spent: empty, `dispute`, `fraud_warning`, `debt` or `overdue`.
    """

    account_id: str
    debt: int
    frozen: str


class BookedPayment(Record, frozen=True):
    """What booking a sight came to. `granted` is credit that is new with it, `changed` whether anything moved.

    `kept_aside` says why a payment is noted and gives nothing: empty, or `currency`. A person has to look at it.
    """

    account_id: str
    granted: int
    changed: bool
    standing: Standing
    kept_aside: str = ""


class RefundOrder(Record, frozen=True):
    """A refund that is taken from the credit and not yet certain at the processor.

    `refund_id` is empty as long as the processor has not told of it.
    """

    order_id: str
    account_id: str
    payment_id: str
    cents: int
    reason: str
    refund_id: str
    at: datetime


class Refundable(Record, frozen=True):
    """What can be given back of one payment, in whole cents: what is left of its credit, neither spent nor held."""

    payment_id: str
    cents: int
    paid_at: datetime


class PaymentBooks(Protocol):
    """Customers of the processor, their payments, and what is owed either way."""

    async def customer(self, account_id: str) -> str | None:
        """The account's customer at the processor."""

    async def keep_customer(self, account_id: str, customer_id: str) -> str:
        """Note the account's customer; of two the first stands and is returned."""

    async def forget_customer(self, customer_id: str) -> str | None:
        """It was deleted at the processor: the next purchase makes another. The account's id."""

    async def account_of(self, customer_id: str) -> str | None:
        """Whose customer that is."""

    async def book(self, seen: PaymentSeen, *, gives: Entitlement | None = None) -> BookedPayment:
        """Bring the books to what was seen of a payment.

        `gives` counts with its first success. Raises `NotFound` for an account that is unknown or has no wallet,
        `InvalidRequest` for figures that cannot be.
        """

    async def refundable(self, account_id: str) -> Sequence[Refundable]:
        """What can be given back now, the newest payment first."""

    async def order_refund(
        self, account_id: str, cents: int, *, reason: str, order_id: str, payment_id: str | None = None
    ) -> Sequence[RefundOrder]:
        """Take credit for a refund, of one payment or of the newest ones, once per `order_id`.

        Raises `Conflict` when less than that can be given back, or the account is frozen.
        """

    async def open_orders(self) -> Sequence[RefundOrder]:
        """Refunds that are not certain at the processor, oldest first."""

    async def abandon_order(self, order_id: str, payment_id: str) -> None:
        """The processor refused it: the credit comes back."""

    async def standing(self, account_id: str) -> Standing:
        """Debt and freeze now."""

    async def thaw(self, account_id: str, *, forgive: bool) -> Standing:
        """An operator lifts the account's fraud warnings and, with `forgive`, lets the house bear its debts.

        A dispute that is open freezes it all the same. Raises `NotFound`.
        """

    async def collect_debts(self) -> int:
        """Take debts from credit that is free again; of how many accounts."""
