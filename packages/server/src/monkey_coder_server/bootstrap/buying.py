"""Buying composed: whose card is charged, who is written to, and what is done about it with nobody there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.operators import OPERATOR
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts.letters import Letter, Link
from monkey_coder_server.features.accounts.shares import insider
from monkey_coder_server.features.billing import buying
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.payments import PaymentGate
from monkey_coder_server.settings.payments import OWN_API, PaymentSettings
from monkey_coder_server.web.browser import BrowserParts, Browsers
from monkey_coder_server.web.request import Request

logger = logging.getLogger(__name__)
ROUND_SECONDS = 3.0
"""How late an automatic top-up is at most, and a refund sent."""
PAYS_AT = "https://checkout.stripe.com"
_PAYING = (Role.OWNER, Role.BILLING)


def buying_of(
    books: Books, gate: PaymentGate | None, *, order_plan: buying.OrderPlan | None = None
) -> buying.Dependencies:
    """What buying needs, from the stores; without a gate nothing can be bought."""
    use, storage, settings = books.accounts, books.storage, books.settings
    parts = BrowserParts(use.sessions, use.clock, use.ids, use.successor, use.random_text)
    browsers = Browsers(parts, base_url=settings.base_url)
    return buying.Dependencies(
        gate=gate,
        books=storage.payments,
        ledger=use.ledger,
        purchases=storage.purchases,
        top_ups=storage.top_ups,
        tries=use.tries,
        audit=storage.audit,
        clock=books.clock,
        ids=books.ids,
        payers=_payers(books),
        post=_post(books),
        recall=lambda account_id: storage.books.recall(account_id, OPERATOR),
        insider=partial(insider, use),
        order_plan=order_plan,
        browsers=browsers,
        visitor=_visitor(books, browsers),
        pays_at=_origin(settings.payments),
        base_url=settings.base_url,
        origins=settings.cors_origins,
        tax=settings.payments is not None and settings.payments.tax,
    )


async def keep_paying(use: buying.Dependencies, gate: PaymentGate, metrics: Metrics) -> None:
    """Top up, send refunds and take debts from credit that is free again, until it is cancelled."""
    topping_up, sending = buying.ToppingUp(use, gate), buying.RefundSending(use, gate)

    async def collect() -> None:
        await use.books.collect_debts()

    while True:
        for step in (collect, topping_up.run, sending.send):
            try:
                await step()
            except Unavailable as away:
                logger.info("payments wait for the database: %s", away.message)
            except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
                metrics.defect("payments", error)
        await asyncio.sleep(ROUND_SECONDS)


def _payers(books: Books) -> Callable[[str], Awaitable[Sequence[buying.Payer]]]:
    async def payers(account_id: str) -> Sequence[buying.Payer]:
        return [buying.Payer(user.email, user.name) for user in await payers_of(books, account_id)]

    return payers


async def payers_of(books: Books, account_id: str) -> Sequence[User]:
    """Owners first, then who else of an organization pays its bills."""
    members = await books.storage.organizations.members(account_id)
    paying = sorted(
        (each for each in members if each.membership.role in _PAYING),
        key=lambda each: _PAYING.index(each.membership.role),
    )
    users = [each.user for each in paying] or await books.storage.accounts.of_account(account_id)
    return [user for user in users if not user.is_service]


def _post(books: Books) -> Callable[[str, buying.Notice], None]:
    def post(address: str, notice: buying.Notice) -> None:
        link = None if notice.page is None else Link(*notice.page)
        books.accounts.letters.send(address, Letter(notice.subject, notice.paragraphs, link))

    return post


def _visitor(books: Books, browsers: Browsers) -> Callable[[Request], Awaitable[buying.Visitor | None]]:
    async def visitor(request: Request) -> buying.Visitor | None:
        session = await browsers.session(request)
        user = None if session is None else await books.storage.accounts.by_id(session.user_id)
        if session is None or user is None:
            return None
        required = books.accounts.factors.rules.mode is SecondFactors.REQUIRED
        if required and not session.second_factor:
            return None
        return buying.Visitor(user.user_id, user.account_id, user.email)

    return visitor


def _origin(settings: PaymentSettings | None) -> str:
    """Where the pages one pays on are; a simulator serves them itself."""
    if settings is None or settings.api_base == OWN_API:
        return PAYS_AT
    return settings.api_base
