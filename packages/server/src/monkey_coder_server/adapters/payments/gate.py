"""`ports.payments.PaymentGate` at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monkey_coder_server.adapters.payments import acting, invoicing, looking
from monkey_coder_server.adapters.payments.client import Sdk
from monkey_coder_server.domain.payments import PaymentSeen, RefundSeen
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payments import (
    CheckoutWish,
    CustomerSeen,
    HostedPage,
    InvoiceSeen,
    InvoiceWish,
    NewCustomer,
    OffSessionCharge,
    SubscriptionSeen,
)


class StripeGate:
    """Each call is made in a thread of the SDK's own."""

    def __init__(self, sdk: Sdk, clock: Clock) -> None:
        self._sdk = sdk
        self._clock = clock

    async def create_customer(self, customer: NewCustomer, *, key: str) -> str:
        """Make the account's customer; its id."""
        return await self._sdk.run(lambda client: acting.create_customer(client, customer, key))

    async def checkout(self, wish: CheckoutWish, *, key: str) -> HostedPage:
        """Make a page to pay on, or to save a card."""
        return await self._sdk.run(lambda client: acting.checkout(client, wish, key))

    async def portal(self, customer_id: str, return_url: str, *, key: str) -> HostedPage:
        """A page where a customer sees invoices and changes cards and plan."""
        return await self._sdk.run(lambda client: acting.portal(client, customer_id, return_url, key))

    async def charge(self, charge: OffSessionCharge, *, key: str) -> PaymentSeen:
        """Charge a saved card, once for a reference. A decline is the state of the payment."""
        now = self._clock.now()
        return await self._sdk.run(lambda client: acting.charge(client, charge, key, now))

    async def cancel_payment(self, payment_id: str, *, key: str) -> PaymentSeen | None:
        """End a payment that was not received, so that it never can be; how it stands, which may be received."""
        return await self._sdk.run(lambda client: acting.cancel_payment(client, payment_id, key))

    async def remove_card(self, method_id: str, *, key: str) -> None:
        """Forget a saved card; harmless when it is forgotten."""
        await self._sdk.run(lambda client: acting.remove_card(client, method_id, key))

    async def refund(self, payment_id: str, cents: int, order: str, *, key: str) -> RefundSeen:
        """Give back a part of a payment, once for an order."""
        return await self._sdk.run(lambda client: acting.refund(client, payment_id, cents, order, key))

    async def send_invoice(self, wish: InvoiceWish, *, key: str) -> InvoiceSeen:
        """Make, finalise and send an invoice, once for its id."""
        now = self._clock.now()
        return await self._sdk.run(lambda client: invoicing.send(client, wish, key, now))

    async def void_invoice(self, invoice_ref: str, *, key: str) -> InvoiceSeen:
        """Take an unpaid invoice back."""
        return await self._sdk.run(lambda client: invoicing.void(client, invoice_ref, key))

    async def end_subscription(self, subscription_id: str, *, at_period_end: bool, key: str) -> SubscriptionSeen:
        """End a plan, now or when what was paid for is over."""
        return await self._sdk.run(
            lambda client: acting.end_subscription(client, subscription_id, at_period_end=at_period_end, key=key)
        )

    async def payment(self, payment_id: str) -> PaymentSeen | None:
        """A payment with its refunds and disputes, as they stand now."""
        return await self._sdk.run(lambda client: looking.payment(client, payment_id))

    async def invoice(self, invoice_ref: str) -> InvoiceSeen | None:
        """An invoice as it stands now."""
        return await self._sdk.run(lambda client: looking.invoice(client, invoice_ref))

    async def subscription(self, subscription_id: str) -> SubscriptionSeen | None:
        """A subscription as it stands now."""
        return await self._sdk.run(lambda client: looking.subscription(client, subscription_id))

    async def customer(self, customer_id: str) -> CustomerSeen | None:
        """A customer and the card that would be charged."""
        return await self._sdk.run(lambda client: looking.customer(client, customer_id))

    async def payments(self, *, start: datetime, end: datetime) -> Sequence[PaymentSeen]:
        """Every payment made in a period, and every older one refunded, disputed or warned of in it."""
        return await self._sdk.run(lambda client: looking.payments(client, start, end))

    async def find_payment(self, metadata: Mapping[str, str], *, since: datetime) -> PaymentSeen | None:
        """A payment of ours by what we wrote on it."""
        return await self._sdk.run(lambda client: looking.found_by(client, metadata, since=since))

    async def close(self) -> None:
        """Let running calls end; those that wait are not made."""
        self._sdk.close()
