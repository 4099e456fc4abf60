"""How business went, for the command and for operators over HTTP."""

from collections.abc import Sequence
from datetime import date, timedelta

from monkey_coder_protocol import pricing as wire
from monkey_coder_server.domain.business import Takings, booked, together, unexplained
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.ports.business import By
from monkey_coder_server.ports.invoices import Reconciliation
from monkey_coder_server.web.operating import Actor

MOST_LINES = 500
LONGEST_DAYS = 732
DEFAULT_DAYS = 30
OTHERS = "(others)"


def read_days(start: str | None, end: str | None, today: date) -> tuple[date, date]:
    """First and last UTC day, both included; by default the last thirty. Raises `InvalidRequest`."""
    last = _day("end", end) or today
    first = _day("start", start) or last - timedelta(days=DEFAULT_DAYS - 1)
    if not first <= last or (last - first).days >= LONGEST_DAYS:
        message = f"`start` must not lie after `end`, and at most {LONGEST_DAYS} days before it."
        raise InvalidRequest(message)
    return first, last


def read_by(text: str | None) -> By:
    """What to tell business apart by. Raises `InvalidRequest`."""
    if text is None:
        return By.PROVIDER
    if text not in tuple(By):
        message = f"`by` must be one of {', '.join(By)}."
        raise InvalidRequest(message)
    return By(text)


async def business_of(use: Dependencies, actor: Actor, first: date, last: date, by: By) -> wire.BusinessReport:
    """The report of some days; in the trail before it is told."""
    told = f"{first.isoformat()} to {last.isoformat()} by {by}"
    await use.audit.record(actor.entry("business.look", target="business", at=use.clock.now(), details=told))
    store = use.business
    total, lines = await store.total(first, last), list(await store.takings(first, last, by, most=MOST_LINES))
    others = _others(total, lines)
    books = booked(await store.moved(first, last))
    revenue, cost = unexplained(total, books)
    promotional = await store.promotional(first, last)
    return wire.BusinessReport(
        start=first.isoformat(),
        end=last.isoformat(),
        by=by,
        total=_line(total),
        lines=[_line(each) for each in (*lines, *others)],
        refunded_usd=usd(books.refunded),
        losses_usd={
            "beyond_hold": usd(books.losses.beyond_hold),
            "failed": usd(books.losses.failed),
            "hedges": usd(books.losses.hedges),
            "corrections": usd(books.losses.corrections),
            "estimated": usd(await store.estimated_cost(first, last)),
        },
        promotions_given_usd=usd(books.promotions_given),
        promotions_used_usd=usd(promotional.given - promotional.left),
        breakage_usd=usd(books.breakage),
        accounts_usd={kind: usd(amount) for kind, amount in sorted(books.accounts.items())},
        unexplained_revenue_usd=usd(revenue),
        unexplained_cost_usd=usd(cost),
        invoices=[_invoice(each) for each in await use.costs.latest() if _within(each, first, last)],
    )


def _others(total: Takings, lines: Sequence[Takings]) -> Sequence[Takings]:
    """What is not in the lines shown, if that is anything."""
    shown = together("", lines)
    if shown.requests == total.requests:
        return ()
    return (
        Takings(
            OTHERS,
            total.requests - shown.requests,
            total.failed - shown.failed,
            total.revenue - shown.revenue,
            total.provider_cost - shown.provider_cost,
            total.estimated - shown.estimated,
            total.cache_saving - shown.cache_saving,
        ),
    )


def _line(takings: Takings) -> wire.BusinessLine:
    part = takings.margin_basis_points
    return wire.BusinessLine(
        name=takings.name,
        requests=takings.requests,
        failed=takings.failed,
        revenue_usd=usd(takings.revenue),
        provider_cost_usd=usd(takings.provider_cost),
        margin_usd=usd(takings.margin),
        margin_percent=None if part is None else _percent(part),
        estimated=takings.estimated,
        cache_savings_usd=usd(takings.cache_saving),
    )


def _invoice(made: Reconciliation) -> wire.ReconciledInvoice:
    return wire.ReconciledInvoice(
        provider=made.provider,
        first_day=made.first_day,
        last_day=made.last_day,
        source=made.source,
        booked_usd=usd(made.booked),
        invoiced_usd=usd(made.invoiced),
        unexplained_usd=usd(made.unexplained),
    )


def _within(made: Reconciliation, first: date, last: date) -> bool:
    return first.isoformat() <= made.last_day and made.first_day <= last.isoformat()


def _percent(basis_points: int) -> str:
    sign = "-" if basis_points < 0 else ""
    return f"{sign}{abs(basis_points) // 100}.{abs(basis_points) % 100:02d}"


def _day(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        message = f"`{name}` must be a day like 2026-12-01."
        raise InvalidRequest(message) from wrong
