"""What an account bought and got back, as it reads it. Amounts are cents; ids are the processor's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.payments import PaymentState, Purpose, RefundState
from monkey_coder_server.ports.record import Record


class PaymentStanding(Record, frozen=True):
    """A payment as it is in the books. `refunded` counts refunds that are not certain yet."""

    payment_id: str
    purpose: Purpose
    state: PaymentState
    cents: int
    tax_cents: int
    refunded: int
    at: datetime
    reference: str
    failure: str


class RefundStanding(Record, frozen=True):
    """A refund of a part of a payment, ordered here."""

    order_id: str
    payment_id: str
    cents: int
    state: RefundState
    reason: str
    at: datetime


class Place(Record, frozen=True):
    """Where a page ended: the moment of its last line, and how many lines of that moment were shown. It has no ids."""

    at: datetime
    shown: int


class Purchases(Protocol):
    """Of one account, newest first, those before a place. Raises `Unavailable`."""

    async def payments(self, account_id: str, *, most: int, after: Place | None = None) -> Sequence[PaymentStanding]:
        """Its payments."""

    async def refunds(self, account_id: str, *, most: int, after: Place | None = None) -> Sequence[RefundStanding]:
        """The refunds it ordered, and those that operators ordered for it."""
