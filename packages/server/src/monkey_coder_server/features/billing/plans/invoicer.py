"""Draws up the invoices of months that are over, and sends them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from monkey_coder_server.domain.errors import PaymentRefused
from monkey_coder_server.features.billing.plans.dependencies import Dependencies
from monkey_coder_server.features.billing.plans.sending import sent_of, wish_of
from monkey_coder_server.ports.invoicing import Invoice
from monkey_coder_server.ports.payments import InvoiceSeen, PaymentGate

logger = logging.getLogger(__name__)
WithCustomer = Callable[[str, Callable[[str], Awaitable[InvoiceSeen]]], Awaitable[InvoiceSeen]]


@dataclass(frozen=True, slots=True)
class Sender:
    """The processor, and what calls a function with an account's customer there, made where there is none."""

    gate: PaymentGate
    with_customer: WithCustomer


class Invoicer:
    """Any number may run at once, and break off anywhere: a month is booked once, and sent under its own name.

    Without a sender invoices wait as drafts.
    """

    def __init__(self, use: Dependencies, sender: Sender | None) -> None:
        self._use = use
        self._sender = sender

    async def run(self) -> int:
        """Do what is due; how many invoices were drawn up here. Raises `Unavailable`."""
        use, made = self._use, 0
        for account_id, month in await use.credit_lines.months_due(use.clock.now()):
            drawn = await use.invoices.close(account_id, month, use.clock.now())
            if drawn is not None:
                made += 1
                logger.info("the account %s was invoiced for %s: %d cents", account_id, month.name, drawn.cents)
        for account_id in await use.invoices.freeze_overdue(use.clock.now()):
            logger.warning("the account %s is frozen: an invoice is long overdue", account_id)
        if self._sender is not None:
            for invoice in await use.invoices.unsent():
                await self._send(self._sender, invoice)
        return made

    async def _send(self, sender: Sender, invoice: Invoice) -> None:
        """One that the processor refuses does not keep the others."""
        use = self._use

        async def send(customer_id: str) -> InvoiceSeen:
            wish = wish_of(invoice, customer_id, tax=use.tax)
            return await sender.gate.send_invoice(wish, key=f"invoice:{invoice.invoice_id}:{customer_id}")

        try:
            seen = await sender.with_customer(invoice.account_id, send)
        except PaymentRefused as refused:
            logger.error("the invoice %s cannot be sent: %s", invoice.invoice_id, refused.message)  # noqa: TRY400 - its words say all
            return
        now = use.clock.now()
        await use.invoices.bring(invoice.invoice_id, sent_of(seen, now), now)
