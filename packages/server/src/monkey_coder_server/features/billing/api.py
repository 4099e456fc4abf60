"""`/v1/billing/*` but for what is bought, and the receipts' public keys."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from monkey_coder_protocol.billing import Balance, LimitList, Receipt, ReceiptKeys, ReceiptPage, Statement
from monkey_coder_protocol.queries import ExportQuery, ReceiptsQuery, StatementQuery, UsageQuery
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.scopes import BILLING_READ
from monkey_coder_server.features.billing import alerting, buying, promotions
from monkey_coder_server.features.billing.asking import Known
from monkey_coder_server.features.billing.forecasting import ForecastRoute
from monkey_coder_server.features.billing.payments import Webhook, WebhookParts
from monkey_coder_server.features.billing.plans import Dependencies as PlanDependencies
from monkey_coder_server.features.billing.plans import PlanRoutes
from monkey_coder_server.features.billing.receipts import ReceiptRoutes, sent
from monkey_coder_server.features.billing.reporting import Means, RateLeft, UsageRoutes
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.exports import MakeWriter
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.limits import Limits
from monkey_coder_server.ports.payment_books import Standing
from monkey_coder_server.ports.statements import Statements
from monkey_coder_server.ports.usage_reports import UsageReports
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply
from monkey_coder_server.web.standings import shown_standing


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`receipt_keys` gives the public keys receipts are checked with, by key id; `parquet` writes that format.

    `offers` are the models of the catalogue by provider and name; `rate_left` says how the requests a minute of a
    caller's key stand. `standing` tells of debts and freezes. Without `webhook` no payments are taken.
    """

    ledger: Records
    reports: UsageReports
    parquet: MakeWriter
    limits: Limits
    statements: Statements
    clock: Clock
    receipt_keys: Callable[[], Awaitable[Mapping[str, str]]]
    standing: Callable[[str], Awaitable[Standing]]
    top_up_url: str
    buying: buying.Dependencies
    plans: PlanDependencies
    promotions: promotions.Dependencies
    alerting: alerting.Dependencies
    offers: Collection[tuple[str, str]]
    rate_left: RateLeft
    webhook: WebhookParts | None = None


class BillingRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        use = self._use
        receipts = ReceiptRoutes(use.statements, use.clock)
        usage = UsageRoutes(Means(use.ledger, use.reports, use.clock, Known(use.offers), use.rate_left, use.parquet))
        return (
            *PlanRoutes(use.plans).routes(),
            *promotions.routes(use.promotions),
            Route("GET", "/v1/billing/usage", usage.usage, scope=BILLING_READ, query=UsageQuery),
            Route("GET", "/v1/billing/usage/export", usage.export, scope=BILLING_READ, query=ExportQuery),
            ForecastRoute(use.ledger, use.reports, use.clock).route(),
            Route("GET", "/v1/billing/balance", self.balance, scope=BILLING_READ, gives=Balance),
            Route("GET", "/v1/billing/limits", self.limits, scope=BILLING_READ, gives=LimitList),
            Route(
                "GET", "/v1/billing/receipts", receipts.page, scope=BILLING_READ, query=ReceiptsQuery, gives=ReceiptPage
            ),
            Route(
                "GET",
                "/v1/billing/statement",
                receipts.statement,
                scope=BILLING_READ,
                query=StatementQuery,
                gives=Statement,
            ),
            Route("GET", "/v1/billing/receipts/{receipt_id}", self.receipt, scope=BILLING_READ, gives=Receipt),
            Route("GET", "/.well-known/monkey-receipts.json", self.keys, auth="public", gives=ReceiptKeys),
            *Webhook(self._use.webhook).routes(),
        )

    async def balance(self, request: Request) -> Reply:
        """Balance, holds, debt, why it is frozen, and what was spent today and this month (UTC)."""
        account = request.principal.account_id
        now = self._use.clock.now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow, ledger = now + timedelta(days=1), self._use.ledger
        this_month = await ledger.spent(account, start=today.replace(day=1), end=tomorrow)
        wallet, standing = await ledger.wallet(account), await self._use.standing(account)
        return json_reply(
            Balance(
                balance_usd=usd(wallet.balance),
                held_usd=usd(wallet.held),
                available_usd=usd(wallet.available),
                currency="USD",
                spent_today_usd=usd(await ledger.spent(account, start=today, end=tomorrow)),
                spent_month_usd=usd(this_month),
                debt_usd=usd(standing.debt),
                frozen=standing.frozen or None,
                top_up_url=self._use.top_up_url,
            )
        )

    async def limits(self, request: Request) -> Reply:
        """Every spending limit of the account, with what is spent, held and left of it."""
        now = self._use.clock.now()
        standings = await self._use.limits.standings(request.principal.account_id, now)
        shown = [shown_standing(standing, now) for standing in standings]
        return json_reply(LimitList(shown, len(shown)))

    async def receipt(self, request: Request) -> Reply:
        """One receipt of this account, by receipt id or request id."""
        found = await self._use.ledger.receipt(request.principal.account_id, request.parameters["receipt_id"])
        if found is None:
            raise NotFound(
                "This account has no receipt of that id; an answer names its own in the header x-monkey-receipt."
            )
        return json_reply(sent(found))

    async def keys(self, _request: Request) -> Reply:
        """The public keys receipts are signed with, of every gateway of the same books."""
        return json_reply(ReceiptKeys(dict(await self._use.receipt_keys())))
