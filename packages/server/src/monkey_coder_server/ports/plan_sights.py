"""What plans make of sights at the payment processor: fees, subscriptions, invoices of ours."""

from typing import Protocol

from monkey_coder_server.domain.payments import PaymentSeen
from monkey_coder_server.ports.payment_books import Entitlement
from monkey_coder_server.ports.payments import InvoiceSeen, SubscriptionSeen


class PlanSights(Protocol):
    """Each may come in any order and any number of times; the last sight of an object stands.

    All raise `Unavailable`, and `NotFound` for an account that is not known here.
    """

    async def gives(self, seen: PaymentSeen) -> Entitlement | None:
        """What a payment gives beside what it paid for: a plan's credit for a fee, room on a line for an invoice.

        To be asked before each booking of a payment, whose first success it counts for; None for other payments.
        """

    async def subscription(self, seen: SubscriptionSeen) -> None:
        """Bring the account's plan to what was seen of a subscription."""

    async def invoice(self, seen: InvoiceSeen) -> None:
        """Bring an invoice of ours to what was seen of it; of other invoices only their payments matter."""
