"""What is done about an object at the payment processor: it is looked up anew, and the books are brought to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from msgspec import structs

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.payments import PaymentSeen
from monkey_coder_server.ports.accounts import Audit, AuditEntry
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payment_books import BookedPayment, PaymentBooks
from monkey_coder_server.ports.payments import PaymentGate
from monkey_coder_server.ports.plan_sights import PlanSights

ACTOR = "payments"
"""Who the audit trail names for what follows from what the processor tells."""
Handler = Callable[[str], Awaitable[str]]
"""Takes an object's id, returns in a few words what came of it. Raises `NotFound` for one of nobody known here."""


@dataclass(frozen=True, slots=True)
class PaymentHandling:
    """What handling stands on. `plans` say what fees and invoices give, and follow subscriptions."""

    gate: PaymentGate
    books: PaymentBooks
    audit: Audit
    clock: Clock
    plans: PlanSights


class PaymentEvents:
    """Handlers by the kind of object. Each may be called in any order, any number of times, by several at once."""

    def __init__(self, use: PaymentHandling) -> None:
        self._use = use

    def handlers(self) -> Mapping[str, Handler]:
        """Each kind of object there is (`ports.payments.EventSeen`)."""
        return {
            "payment": self.payment,
            "invoice": self.invoice,
            "subscription": self.subscription,
            "customer": self.customer,
        }

    async def payment(self, payment_id: str) -> str:
        """Bring the books to a payment."""
        seen = await self._use.gate.payment(payment_id)
        if seen is None:
            return "gone"
        booked = await self.book(seen)
        return "nobody's, and nothing paid" if booked is None else ("booked" if booked.changed else "nothing new")

    async def book(self, seen: PaymentSeen) -> BookedPayment | None:
        """Bring the books to a sight; None for a stranger's of which nothing was paid.

        Raises `NotFound` for a stranger's payment.
        """
        use, account_id = self._use, await self._account(seen.account_id, seen.customer_id)
        if not account_id and not seen.cents:
            return None
        seen = replace(seen, account_id=account_id)
        gives = await use.plans.gives(seen) if account_id else None
        booked = await use.books.book(seen, gives=gives)
        if booked.changed:
            await use.audit.record(_noted(seen, booked, use.clock))
        return booked

    async def invoice(self, invoice_ref: str) -> str:
        """Bring what we know of an invoice to what it is, and the books to what was paid for it."""
        seen = await self._use.gate.invoice(invoice_ref)
        if seen is None:
            return "gone"
        account_id = await self._account(seen.account_id, seen.customer_id)
        if not account_id and not seen.paid_cents:
            return "nobody's, and nothing paid"
        for payment_id in seen.payment_ids:
            await self.payment(payment_id)
        if account_id:
            await self._use.plans.invoice(structs.replace(seen, account_id=account_id))
        return "looked at"

    async def subscription(self, subscription_id: str) -> str:
        """Bring an account's plan to its subscription."""
        seen = await self._use.gate.subscription(subscription_id)
        if seen is None:
            return "gone"
        account_id = await self._account(seen.account_id, seen.customer_id)
        if not account_id:
            raise NotFound("This subscription belongs to no account that is known here.")
        await self._use.plans.subscription(structs.replace(seen, account_id=account_id))
        return "looked at"

    async def customer(self, customer_id: str) -> str:
        """Forget a customer who was deleted there; what else there is of one is looked up when it is needed."""
        seen = await self._use.gate.customer(customer_id)
        if seen is not None and not seen.deleted:
            return "nothing new"
        account_id = await self._use.books.forget_customer(customer_id)
        if account_id is not None:
            now = self._use.clock.now()
            await self._use.audit.record(
                AuditEntry(ACTOR, "payments.customer_gone", target=account_id, at=now, account_id=account_id)
            )
        return "forgotten"

    async def _account(self, named: str, customer_id: str) -> str:
        """Whose it is: as the customer is known here, else as is written on it."""
        return (await self._use.books.account_of(customer_id) if customer_id else None) or named


def _noted(seen: PaymentSeen, booked: BookedPayment, clock: Clock) -> AuditEntry:
    """What moved, for the account's own members: the processor's ids are not among it."""
    parts = [f"{seen.purpose}, {seen.state}", f"credit of {usd(booked.granted)} USD" if booked.granted else ""]
    parts += [f"owed {usd(booked.standing.debt)} USD" if booked.standing.debt else ""]
    parts += [f"frozen: {booked.standing.frozen}" if booked.standing.frozen else ""]
    return AuditEntry(
        ACTOR,
        "payments.book",
        target=booked.account_id,
        at=clock.now(),
        account_id=booked.account_id,
        details=", ".join(filter(None, parts)),
    )
