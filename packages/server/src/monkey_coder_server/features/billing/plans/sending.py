"""An invoice of ours as the processor is told of it, and what is read of its answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monkey_coder_server.domain.invoicing import DAYS_UNTIL_DUE, InvoiceState
from monkey_coder_server.ports.invoicing import Invoice, InvoiceItem, Sent
from monkey_coder_server.ports.payments import InvoiceLine, InvoiceSeen, InvoiceWish

MOST_LINES = 100
"""Stripe takes 250 lines on an invoice; the smallest ones beyond these become one. Ours lists them all."""


def wish_of(invoice: Invoice, customer_id: str, *, tax: bool) -> InvoiceWish:
    """What to send."""
    return InvoiceWish(
        customer_id, invoice.account_id, invoice.invoice_id, lines_of(invoice.items), DAYS_UNTIL_DUE, tax=tax
    )


def lines_of(items: Sequence[InvoiceItem]) -> list[InvoiceLine]:
    """Those that come to a cent or more, the largest first, in at most so many lines."""
    worth = sorted([each for each in items if each.cents], key=lambda each: -abs(each.cents))
    shown, rest = worth[: MOST_LINES - 1], worth[MOST_LINES - 1 :]
    if len(rest) == 1:
        shown, rest = worth, []
    lines = [InvoiceLine(each.description, each.cents) for each in shown]
    if rest:
        lines.append(InvoiceLine(f"{len(rest)} more models and projects", sum(each.cents for each in rest)))
    return lines


def sent_of(seen: InvoiceSeen, now: datetime) -> Sent:
    """How an invoice stands; a word that is new to us changes nothing."""
    words = {state.value: state for state in InvoiceState}
    state = words.get(seen.state, InvoiceState.DRAFT)
    return Sent(state, seen.invoice_ref, seen.hosted_url, now + timedelta(days=DAYS_UNTIL_DUE))
