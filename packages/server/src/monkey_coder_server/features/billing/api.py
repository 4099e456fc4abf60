"""`/v1/billing/*` but for what is bought, and the receipts' public keys."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from monkey_coder_protocol.billing import Balance, LimitList, Receipt, ReceiptKeys, ReceiptPage, Statement
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.scopes import BILLING_READ
from monkey_coder_server.features.billing import buying
from monkey_coder_server.features.billing.export import FORMATS, Export, checked, pieces
from monkey_coder_server.features.billing.payments import Webhook, WebhookParts
from monkey_coder_server.features.billing.period import read_period
from monkey_coder_server.features.billing.receipts import ReceiptRoutes, sent
from monkey_coder_server.features.billing.usage import MOST_DETAILS, usage_report
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.exports import MakeWriter
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.limits import Limits
from monkey_coder_server.ports.statements import Statements
from monkey_coder_server.ports.usage_reports import UsageReports
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes, json_reply
from monkey_coder_server.web.sse import EventStream, EventWriter
from monkey_coder_server.web.standings import shown_standing

_numbers = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`receipt_keys` gives the public keys receipts are checked with, by key id; `parquet` writes that format.

    Without `webhook` no payments are taken.
    """

    ledger: Records
    reports: UsageReports
    parquet: MakeWriter
    limits: Limits
    statements: Statements
    clock: Clock
    receipt_keys: Callable[[], Awaitable[Mapping[str, str]]]
    top_up_url: str
    buying: buying.Dependencies
    webhook: WebhookParts | None = None


class BillingRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        receipts = ReceiptRoutes(self._use.statements, self._use.clock)
        return (
            Route("GET", "/v1/billing/usage", self.usage, scope=BILLING_READ),
            Route("GET", "/v1/billing/usage/export", self.export, scope=BILLING_READ),
            Route("GET", "/v1/billing/balance", self.balance, scope=BILLING_READ, gives=Balance),
            Route("GET", "/v1/billing/limits", self.limits, scope=BILLING_READ, gives=LimitList),
            Route("GET", "/v1/billing/receipts", receipts.page, scope=BILLING_READ, gives=ReceiptPage),
            Route("GET", "/v1/billing/statement", receipts.statement, scope=BILLING_READ, gives=Statement),
            Route("GET", "/v1/billing/receipts/{receipt_id}", self.receipt, scope=BILLING_READ, gives=Receipt),
            Route("GET", "/.well-known/monkey-receipts.json", self.keys, auth="public", gives=ReceiptKeys),
            *Webhook(self._use.webhook).routes(),
        )

    async def usage(self, request: Request) -> Reply:
        """What the account used in a period."""
        period = read_period(request.query, self._use.clock.now())
        principal = request.principal
        account, reports = principal.account_id, self._use.reports
        await self._use.ledger.booked(account)
        span = {"start": period.start, "end": period.end}
        sums = await reports.sums(account, **span, hourly=period.granularity == "hourly")
        details = await reports.newest(account, **span, most=MOST_DETAILS + 1) if period.include_details else ()
        wallet = await self._use.ledger.wallet(account)
        key_hash = principal.key.digest.hex()[:16] if principal.key is not None else ""
        return json_bytes(_numbers.encode(usage_report(sums, details, period, wallet, key_hash=key_hash)))

    async def export(self, request: Request) -> Reply:
        """The account's requests of a period as a file, streamed: a page of rows is all that is ever in memory."""
        name = checked(request.query.get("format") or "csv")
        period = read_period(request.query, self._use.clock.now())
        export = Export(name, period.start, period.end, request.principal.account_id)
        make = FORMATS[name][0] or self._use.parquet
        await self._use.ledger.booked(request.principal.account_id)
        disposition = f'attachment; filename="{export.file_name}"'.encode()

        async def run(writer: EventWriter) -> None:
            async for piece in pieces(self._use.reports, export, make):
                if writer.gone:
                    return
                if piece:
                    await writer.write(piece)

        return EventStream(
            run,
            headers=[(b"content-disposition", disposition)],
            keep_alive=None,
            content_type=make().content_type.encode(),
        )

    async def balance(self, request: Request) -> Reply:
        """Balance, holds, and what was spent today and this month (UTC)."""
        account = request.principal.account_id
        now = self._use.clock.now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow, ledger = now + timedelta(days=1), self._use.ledger
        this_month = await ledger.spent(account, start=today.replace(day=1), end=tomorrow)
        wallet = await ledger.wallet(account)
        return json_reply(
            Balance(
                balance_usd=usd(wallet.balance),
                held_usd=usd(wallet.held),
                available_usd=usd(wallet.available),
                currency="USD",
                spent_today_usd=usd(await ledger.spent(account, start=today, end=tomorrow)),
                spent_month_usd=usd(this_month),
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
