"""`/v1/billing/plans`, `/plan` and `/invoices`."""

from datetime import UTC, datetime

from monkey_coder_protocol import invoices as wire
from monkey_coder_protocol import plans as plans_wire
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.invoicing import Month
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.plans import DEFAULT_PLAN, Plan
from monkey_coder_server.domain.scopes import BILLING_READ
from monkey_coder_server.features.billing.plans import showing
from monkey_coder_server.features.billing.plans.dependencies import Dependencies
from monkey_coder_server.ports.invoicing import LineStanding
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MONTHS = 12
"""So many months back there are statements of what was paid from credit; invoices are listed for good."""
MOST = 120
_NO_INVOICE = "This account has no invoice of that id; GET /v1/billing/invoices lists them."


class PlanRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about plans and invoices."""
        one = "/v1/billing/invoices/{invoice_id}"
        return (
            Route("GET", "/v1/billing/plans", self.plans, scope=BILLING_READ, gives=plans_wire.PlanList),
            Route("GET", "/v1/billing/plan", self.plan, scope=BILLING_READ, gives=plans_wire.AccountPlan),
            Route("GET", "/v1/billing/invoices", self.invoices, scope=BILLING_READ, gives=wire.InvoiceList),
            Route("GET", one, self.invoice, scope=BILLING_READ, gives=wire.Invoice),
        )

    async def plans(self, _request: Request) -> Reply:
        """What can be had now."""
        now = self._use.clock.now()
        offered = [each for each in await self._use.plans.every() if each.listed and each.offered(now)]
        return json_reply(plans_wire.PlanList([showing.shown_plan(each) for each in offered], len(offered)))

    async def plan(self, request: Request) -> Reply:
        """What the account is on now."""
        use, account_id, now = self._use, request.principal.account_id, self._use.clock.now()
        span = next((each for each in await use.account_plans.history(account_id) if each.covers(now)), None)
        live = [each for each in await use.subscriptions.of_account(account_id) if each.live]
        line = await use.credit_lines.find(account_id)
        return json_reply(
            plans_wire.AccountPlan(
                plan=showing.shown_plan(await self._known(DEFAULT_PLAN if span is None else span.plan_id)),
                since=None if span is None else span.starts_at.isoformat(),
                until=None if span is None or span.ends_at is None else span.ends_at.isoformat(),
                subscription=showing.shown_subscription(live[0]) if live else None,
                credit_line=None if line is None else _line(line),
            )
        )

    async def invoices(self, request: Request) -> Reply:
        """The account's invoices, and statements of months that were paid from credit, newest first."""
        use, account_id, now = self._use, request.principal.account_id, self._use.clock.now()
        asked = request.query.get("month")
        month = None if asked is None else _month(asked)
        found = await use.invoices.of_account(account_id, month=asked, most=MOST)
        listed = {each.period: showing.summary(each, now) for each in found}
        for each in _months_back(now) if month is None else [month] if month.end <= now else []:
            if each.name not in listed:
                charges = await use.invoices.charged(account_id, each)
                if charges:
                    listed[each.name] = showing.without_lines(showing.statement(each, charges))
        newest = [listed[name] for name in sorted(listed, reverse=True)]
        return json_reply(wire.InvoiceList(newest, len(newest)))

    async def invoice(self, request: Request) -> Reply:
        """One invoice with its lines; `statement_2026-11` is the statement of a month."""
        use, account_id, now = self._use, request.principal.account_id, self._use.clock.now()
        wanted = request.parameters["invoice_id"]
        found = await use.invoices.find(account_id, wanted)
        if found is not None:
            return json_reply(showing.whole(found, now))
        kind, _, name = wanted.partition("_")
        if kind == showing.STATEMENT:
            month = _month(name)
            charges = await use.invoices.charged(account_id, month) if month.end <= now else ()
            if charges and not await use.invoices.of_account(account_id, month=name, most=1):
                return json_reply(showing.statement(month, charges))
        raise NotFound(_NO_INVOICE)

    async def _known(self, plan_id: str) -> Plan:
        """A plan by its id, also one that a subscription named and nobody wrote."""
        plans = {each.plan_id: each for each in await self._use.plans.every()}
        return plans.get(plan_id) or Plan(plan_id=plan_id, name=plan_id)


def _line(line: LineStanding) -> plans_wire.CreditLine:
    return plans_wire.CreditLine(line_usd=usd(line.amount), left_usd=usd(line.left))


def _month(text: str) -> Month:
    try:
        return Month(text)
    except ValueError as wrong:
        raise InvalidRequest("The month must be written like 2026-11.") from wrong


def _months_back(now: datetime) -> list[Month]:
    """Months that are over, the newest first."""
    months, month = [], Month(f"{now.astimezone(UTC):%Y-%m}")
    for _ in range(MONTHS):
        month = month.before
        months.append(month)
    return months
