"""Plans and invoices as the wire shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monkey_coder_protocol import invoices as wire
from monkey_coder_protocol import plans as plans_wire
from monkey_coder_server.domain.invoicing import Charged, InvoiceState, Month, draw_up
from monkey_coder_server.domain.money import NANO_PER_CENT, usd
from monkey_coder_server.domain.plans import Plan
from monkey_coder_server.domain.subscriptions import Subscription
from monkey_coder_server.ports.invoicing import Invoice, InvoiceItem

CURRENCY = "USD"
OVERDUE, STATEMENT = "overdue", "statement"


def shown_plan(plan: Plan) -> plans_wire.PlanInfo:
    """A plan as customers see it."""
    return plans_wire.PlanInfo(
        plan=plan.plan_id,
        name=plan.name,
        kind=plan.kind.value,
        monthly_fee_usd=_cents_usd(plan.monthly_fee_cents),
        included_credit_usd=usd(plan.included_credit),
        credit_line_usd=usd(plan.credit_line),
        offered_from=_moment(plan.offered_from),
        offered_until=_moment(plan.offered_until),
    )


def shown_subscription(each: Subscription) -> plans_wire.SubscriptionInfo:
    """A subscription without any name of the processor's."""
    return plans_wire.SubscriptionInfo(
        plan=each.plan_id,
        state=each.state,
        period_start=each.period_start.isoformat(),
        period_end=each.period_end.isoformat(),
        ends_with_period=each.ends_with_period,
    )


def summary(invoice: Invoice, now: datetime) -> wire.InvoiceSummary:
    """An invoice without its lines."""
    return wire.InvoiceSummary(**_head(invoice, now))


def whole(invoice: Invoice, now: datetime) -> wire.Invoice:
    """An invoice with its lines."""
    return wire.Invoice(**_head(invoice, now), lines=[_line(each) for each in invoice.items])


def statement(month: Month, charges: Sequence[InvoiceItem]) -> wire.Invoice:
    """A month that was paid from credit: every line, and what paid them; nothing is due."""
    drawn = draw_up(
        [Charged(project_id=each.project_id, model=each.model, amount=each.amount) for each in charges], used=0
    )
    lines = [
        InvoiceItem(each.description, each.project_id, each.model, each.amount, each.cents) for each in drawn.lines
    ]
    return wire.Invoice(
        invoice_id=statement_id(month),
        month=month.name,
        state=STATEMENT,
        charged_usd=usd(sum(each.amount for each in charges)),
        total_usd=usd(0),
        currency=CURRENCY,
        made_at=None,
        due_at=None,
        paid_at=None,
        hosted_url=None,
        lines=[_line(each) for each in lines],
    )


def without_lines(invoice: wire.Invoice) -> wire.InvoiceSummary:
    """The same in a list."""
    return wire.InvoiceSummary(**{name: getattr(invoice, name) for name in wire.InvoiceSummary.__struct_fields__})


def statement_id(month: Month) -> str:
    """How a month's statement is called."""
    return f"{STATEMENT}_{month.name}"


def _head(invoice: Invoice, now: datetime) -> dict[str, Any]:
    overdue = invoice.state is InvoiceState.OPEN and invoice.due_at is not None and invoice.due_at <= now
    state = OVERDUE if overdue else invoice.state.value
    return {
        "invoice_id": invoice.invoice_id,
        "month": invoice.period,
        "state": STATEMENT if invoice.state is InvoiceState.PAID and not invoice.cents else state,
        "charged_usd": usd(invoice.charged),
        "total_usd": _cents_usd(invoice.cents),
        "currency": CURRENCY,
        "made_at": invoice.made_at.isoformat(),
        "due_at": _moment(invoice.due_at),
        "paid_at": _moment(invoice.paid_at),
        "hosted_url": invoice.hosted_url or None,
    }


def _line(each: InvoiceItem) -> wire.InvoiceLine:
    return wire.InvoiceLine(
        description=each.description,
        project_id=each.project_id or None,
        model=each.model or None,
        exact_usd=usd(each.amount),
        total_usd=_cents_usd(each.cents),
    )


def _cents_usd(cents: int) -> str:
    return usd(cents * NANO_PER_CENT)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
