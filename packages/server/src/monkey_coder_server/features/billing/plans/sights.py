"""What is made of sights at the processor: see `ports.plan_sights`."""

import logging

from msgspec.structs import replace

from monkey_coder_server.domain.invoicing import LINE_PRIORITY, InvoiceState
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.domain.subscriptions import Subscription, included_until
from monkey_coder_server.features.billing.plans.dependencies import Dependencies
from monkey_coder_server.features.billing.plans.sending import sent_of
from monkey_coder_server.ports.payment_books import Entitlement
from monkey_coder_server.ports.payments import InvoiceSeen, PaymentGate, SubscriptionSeen

logger = logging.getLogger(__name__)


class Sights:
    """Any order, any number of times."""

    def __init__(self, use: Dependencies, gate: PaymentGate) -> None:
        self._use = use
        self._gate = gate

    async def gives(self, seen: PaymentSeen) -> Entitlement | None:
        """What a payment gives beside what it paid for."""
        if seen.purpose is Purpose.INVOICE:
            invoice = await self._use.invoices.by_id(seen.reference)
            return None if invoice is None else Entitlement(invoice.cents * NANO_PER_CENT, priority=LINE_PRIORITY)
        if seen.purpose is Purpose.SUBSCRIPTION:
            return await self._included(seen)
        return None

    async def subscription(self, seen: SubscriptionSeen) -> None:
        """Bring the account's plan to what was seen of a subscription."""
        await self._bring(seen)

    async def invoice(self, seen: InvoiceSeen) -> None:
        """Bring an invoice of ours to what was seen of it; what paid it is booked as any payment is."""
        if not seen.reference:
            return
        use, now = self._use, self._use.clock.now()
        known = await use.invoices.by_id(seen.reference)
        if known is None or known.account_id != seen.account_id:
            logger.error("an invoice at the payment processor names none of ours, or another account's")
            return
        sent = sent_of(seen, now)
        if sent.state is InvoiceState.PAID and seen.total_cents and not seen.payment_ids:
            logger.error("an invoice of the account %s was paid elsewhere: it stays open here", known.account_id)
            return
        if seen.paid_cents > seen.total_cents:
            logger.error("an invoice of the account %s was paid with more than it asks for", known.account_id)
        await use.invoices.bring(known.invoice_id, sent, now)

    async def _included(self, seen: PaymentSeen) -> Entitlement | None:
        """A fee's credit ends with the month it pays for. What is paid keeps the plan, also after it was cancelled."""
        found = await self._gate.subscription(seen.reference)
        if found is None:
            return None
        now = self._use.clock.now()
        await self._bring(replace(found, account_id=seen.account_id), paid=seen.state is PaymentState.SUCCEEDED)
        plans = {plan.plan_id: plan for plan in await self._use.plans.every()}
        plan = plans.get(found.plan_id)
        if plan is None:
            logger.error("a fee was paid for the plan %s, which is none of ours", found.plan_id)
            return None
        if not plan.included_credit:
            return None
        until = included_until(found.period_end, now)
        return Entitlement(plan.included_credit, until, plan.included_priority)

    async def _bring(self, seen: SubscriptionSeen, *, paid: bool = False) -> None:
        subscription = Subscription(
            subscription_id=seen.subscription_id,
            account_id=seen.account_id,
            plan_id=seen.plan_id,
            state=seen.state,
            period_start=seen.period_start,
            period_end=seen.period_end,
            ends_with_period=seen.cancel_at_period_end,
            paid_until=seen.period_end if paid else None,
        )
        await self._use.subscriptions.bring(subscription, self._use.clock.now())
