"""A payment processor and books of a few lines: what handlers are told, and what they then do."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.features.billing.payments import PaymentEvents, PaymentHandling
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.ports.payment_books import BookedPayment, Entitlement, Standing
from monkey_coder_server.ports.payments import CustomerSeen, InvoiceSeen, SubscriptionSeen

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
CENT = 10_000_000
PAID = PaymentSeen(
    payment_id="pi_1",
    customer_id="cus_1",
    account_id="acct_1",
    purpose=Purpose.CREDIT,
    state=PaymentState.SUCCEEDED,
    cents=1_000,
)
INVOICE = InvoiceSeen(
    invoice_ref="in_1",
    customer_id="cus_1",
    account_id="",
    reference="inv_1",
    subscription_id="",
    state="paid",
    total_cents=1_000,
    paid_cents=1_000,
    currency="usd",
    hosted_url="",
    payment_ids=("pi_1",),
    period_start=NOON,
    period_end=NOON,
)
SUBSCRIPTION = SubscriptionSeen("sub_1", "cus_1", "", "pro", "active", NOON, NOON, cancel_at_period_end=False)


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Processor:
    """What is there, by its id; and the books beside it, which know one customer."""

    there: dict[str, Any] = field(default_factory=dict)
    booked: dict[str, PaymentSeen] = field(default_factory=dict)
    gave: list[Entitlement | None] = field(default_factory=list)
    noted: list[AuditEntry] = field(default_factory=list)
    plans: list[object] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=lambda: {"cus_1": "acct_1"})

    async def payment(self, payment_id: str) -> PaymentSeen | None:
        found: PaymentSeen | None = self.there.get(payment_id)
        return found

    async def invoice(self, found: Any) -> Any:
        """Of the gate with an id, of the plans with a sight."""
        if isinstance(found, str):
            return self.there.get(found)
        self.plans.append(found)
        return None

    async def subscription(self, found: Any) -> Any:
        if isinstance(found, str):
            return self.there.get(found)
        self.plans.append(found)
        return None

    async def customer(self, customer_id: str) -> CustomerSeen | None:
        found: CustomerSeen | None = self.there.get(customer_id)
        return found

    async def payments(self, *, start: datetime, end: datetime) -> Sequence[PaymentSeen]:
        assert start < end
        return [each for each in self.there.values() if isinstance(each, PaymentSeen)]

    async def gives(self, seen: PaymentSeen) -> Entitlement | None:
        return Entitlement(5) if seen.purpose is Purpose.SUBSCRIPTION else None

    async def account_of(self, customer_id: str) -> str | None:
        return self.known.get(customer_id)

    async def forget_customer(self, customer_id: str) -> str | None:
        self.forgotten.append(customer_id)
        return self.known.get(customer_id)

    async def book(self, seen: PaymentSeen, *, gives: Entitlement | None = None) -> BookedPayment:
        if not seen.account_id:
            raise NotFound("This payment belongs to no account that is known here.")
        changed = self.booked.get(seen.payment_id) != seen
        self.booked[seen.payment_id] = seen
        self.gave.append(gives)
        granted = seen.cents * CENT if changed else 0
        return BookedPayment(seen.account_id, granted, changed, Standing(seen.account_id, 0, ""))

    async def cash(self, payment_ids: Sequence[str]) -> dict[str, int]:
        return {each: self.booked[each].cents * CENT for each in payment_ids if each in self.booked}

    async def record(self, entry: AuditEntry) -> None:
        self.noted.append(entry)

    def events(self) -> PaymentEvents:
        here: Any = self
        return PaymentEvents(PaymentHandling(here, here, here, Still(), here))


def stranger(**changes: Any) -> PaymentSeen:
    """A payment of nobody known here."""
    return replace(PAID, payment_id="pi_2", customer_id="cus_9", account_id="", **changes)
