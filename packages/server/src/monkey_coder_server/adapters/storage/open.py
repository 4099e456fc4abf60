"""Open the stores: SQLite embedded in the process, or PostgreSQL, and the ports kept in either."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.accounts import SqlAccounts
from monkey_coder_server.adapters.storage.alerts import SqlAlerts
from monkey_coder_server.adapters.storage.answers import SqlAnswers
from monkey_coder_server.adapters.storage.audit import SqlAudit
from monkey_coder_server.adapters.storage.business import SqlBusiness
from monkey_coder_server.adapters.storage.cost_books import SqlCostBooks
from monkey_coder_server.adapters.storage.credit_lines import SqlCreditLines
from monkey_coder_server.adapters.storage.factors import SqlFactors
from monkey_coder_server.adapters.storage.following import News, Watching
from monkey_coder_server.adapters.storage.identities import SqlIdentities
from monkey_coder_server.adapters.storage.inbox import SqlPaymentInbox
from monkey_coder_server.adapters.storage.invoices import SqlInvoices
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.adapters.storage.ledger import SqlLedger
from monkey_coder_server.adapters.storage.lessons import SqlLessons
from monkey_coder_server.adapters.storage.limits import SqlLimits
from monkey_coder_server.adapters.storage.markups import SqlMarkups
from monkey_coder_server.adapters.storage.memberships import SqlMemberships
from monkey_coder_server.adapters.storage.model_rules import SqlModelRules
from monkey_coder_server.adapters.storage.notices import SqlOutbox
from monkey_coder_server.adapters.storage.operations import CAPACITY, Reading, Writing
from monkey_coder_server.adapters.storage.operators import SqlOperators
from monkey_coder_server.adapters.storage.organizations import SqlOrganizations
from monkey_coder_server.adapters.storage.payment_books import SqlPaymentBooks
from monkey_coder_server.adapters.storage.payment_cash import SqlPaymentCash
from monkey_coder_server.adapters.storage.plans import SqlAccountPlans, SqlPlans
from monkey_coder_server.adapters.storage.presence import presence
from monkey_coder_server.adapters.storage.price_books import SqlPriceBooks
from monkey_coder_server.adapters.storage.promotions import SqlPromotions
from monkey_coder_server.adapters.storage.purchases import SqlPurchases
from monkey_coder_server.adapters.storage.quotes import SqlQuotes
from monkey_coder_server.adapters.storage.rates import SqlRates
from monkey_coder_server.adapters.storage.readers import Readers
from monkey_coder_server.adapters.storage.receipt_keys import SqlReceiptKeys
from monkey_coder_server.adapters.storage.replies import SqlReplies
from monkey_coder_server.adapters.storage.reports import SqlUsageReports
from monkey_coder_server.adapters.storage.routing_decisions import SqlDecisionLog
from monkey_coder_server.adapters.storage.routing_evidence import EVIDENCE
from monkey_coder_server.adapters.storage.routing_sums import SqlSums
from monkey_coder_server.adapters.storage.routing_texts import TEXTS
from monkey_coder_server.adapters.storage.routing_verdicts import VERDICTS
from monkey_coder_server.adapters.storage.sessions import SqlSessions
from monkey_coder_server.adapters.storage.sql_books import SHIPPED_BEHIND_A_WIRE, SHIPPED_TOGETHER, SqlBooks
from monkey_coder_server.adapters.storage.sqlite import open_writer
from monkey_coder_server.adapters.storage.statements import SqlStatements
from monkey_coder_server.adapters.storage.subscriptions import SqlSubscriptions
from monkey_coder_server.adapters.storage.teams import SqlTeams
from monkey_coder_server.adapters.storage.tickets import SqlTickets
from monkey_coder_server.adapters.storage.top_ups import SqlTopUps
from monkey_coder_server.adapters.storage.tries import SqlTries
from monkey_coder_server.adapters.storage.unbooked import SqlUnbooked
from monkey_coder_server.adapters.storage.unfinished import SqlUnfinished
from monkey_coder_server.adapters.storage.watching import FileWatch
from monkey_coder_server.adapters.storage.webhooks import SqlWebhooks
from monkey_coder_server.adapters.storage.writer import Writer
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.signing import ReceiptSigner

logger = logging.getLogger(__name__)


Presence = Callable[[Callable[[], Awaitable[None]]], AbstractAsyncContextManager[None]]
"""Counts as a gateway for its block; what it is given runs first when there is no other gateway."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """What accounts want to be told, what is on its way to them, and where to."""

    alerts: SqlAlerts
    outbox: SqlOutbox
    webhooks: SqlWebhooks


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything kept in the database."""

    ledger: SqlLedger
    books: SqlBooks
    accounts: SqlAccounts
    sessions: SqlSessions
    memberships: SqlMemberships
    operators: SqlOperators
    organizations: SqlOrganizations
    teams: SqlTeams
    identities: SqlIdentities
    model_rules: SqlModelRules
    rates: SqlRates
    plans: SqlPlans
    account_plans: SqlAccountPlans
    markups: SqlMarkups
    price_books: SqlPriceBooks
    promotions: SqlPromotions
    purchases: SqlPurchases
    top_ups: SqlTopUps
    alerting: Alerting
    credit_lines: SqlCreditLines
    invoices: SqlInvoices
    subscriptions: SqlSubscriptions
    tickets: SqlTickets
    factors: SqlFactors
    tries: SqlTries
    keys: SqlKeys
    audit: SqlAudit
    limits: SqlLimits
    quotes: SqlQuotes
    lessons: SqlLessons
    evidence: SqlSums
    verdicts: SqlSums
    texts: SqlSums
    decisions: SqlDecisionLog
    answers: SqlAnswers
    costs: SqlCostBooks
    business: SqlBusiness
    receipt_keys: SqlReceiptKeys
    replies: SqlReplies
    reports: SqlUsageReports
    statements: SqlStatements
    unbooked: SqlUnbooked
    payments: SqlPaymentBooks
    payment_inbox: SqlPaymentInbox
    payment_cash: SqlPaymentCash
    unfinished: SqlUnfinished
    writer: Writing
    readers: Reading
    presence: Presence
    watching: Watching

    @asynccontextmanager
    async def serving(self, clock: Clock) -> AsyncIterator[None]:
        """Take holds within the block only. The only gateway here first voids what a dead predecessor left open."""

        async def end_orphans() -> None:
            ended = await self.ledger.end_orphans(clock.now())
            if ended:
                logger.warning("voided %d holds of requests that died with an earlier process", ended)

        async with self.presence(end_orphans):
            yield

    def healthy(self) -> bool:
        """Whether holds can be taken: the writer lives, the database is there, no transaction was lost just now."""
        return self.writer.alive and not self.writer.failing

    async def close(self) -> None:
        """Serve what is queued, make it durable, and close. Harmless when closed."""
        await self.watching.close()
        await self.keys.close()
        await self.model_rules.close()
        await self.rates.close()
        await self.account_plans.close()
        await self.markups.close()
        await self.price_books.close()
        await self.writer.close()
        await asyncio.to_thread(self.readers.close)


async def open_storage(url: str | Path, *, signer: ReceiptSigner, clock: Clock, capacity: int = CAPACITY) -> Storage:
    """Migrate and open `sqlite:///FILE`, a path or `postgresql://…`, from the event loop that will use it.

    At most `capacity` operations wait; more are refused as `Unavailable`. Raises `UnsupportedDatabase` for another kind
    of URL, `UnusableDatabase` for a PostgreSQL and `sqlite3.Error` for a file that cannot be used.
    """
    writer, readers, present, news, watching = await _connect(url, clock=clock, capacity=capacity)
    keys, rules, rates, account_plans, markups, price_books = await _followed(writer, readers, clock, news, watching)
    return Storage(
        ledger=SqlLedger(writer, readers, signer=signer, clock=clock),
        books=SqlBooks(writer, readers, signer=signer, clock=clock, together=_together(url)),
        accounts=SqlAccounts(writer, readers),
        sessions=SqlSessions(writer, readers, clock),
        memberships=SqlMemberships(readers),
        operators=SqlOperators(writer, readers),
        organizations=SqlOrganizations(writer, readers, keys_changed=keys.refresh),
        teams=SqlTeams(writer, readers, keys_changed=keys.refresh),
        identities=SqlIdentities(writer, readers),
        model_rules=rules,
        rates=rates,
        plans=SqlPlans(writer, readers),
        account_plans=account_plans,
        markups=markups,
        price_books=price_books,
        promotions=SqlPromotions(writer, readers),
        purchases=SqlPurchases(readers),
        top_ups=SqlTopUps(writer, readers),
        alerting=Alerting(SqlAlerts(writer, readers), SqlOutbox(writer, readers), SqlWebhooks(writer, readers)),
        credit_lines=SqlCreditLines(writer, readers),
        invoices=SqlInvoices(writer, readers),
        subscriptions=SqlSubscriptions(writer, readers, plans_changed=account_plans.refresh),
        tickets=SqlTickets(writer, readers),
        factors=SqlFactors(writer, readers),
        tries=SqlTries(writer),
        keys=keys,
        audit=SqlAudit(writer, readers),
        limits=SqlLimits(writer, readers),
        quotes=SqlQuotes(writer, readers, clock),
        lessons=SqlLessons(writer, readers, clock),
        evidence=SqlSums(EVIDENCE, writer, readers, clock),
        verdicts=SqlSums(VERDICTS, writer, readers, clock),
        texts=SqlSums(TEXTS, writer, readers, clock),
        decisions=SqlDecisionLog(writer, readers),
        answers=SqlAnswers(writer, readers, clock),
        costs=SqlCostBooks(writer, readers),
        business=SqlBusiness(readers),
        receipt_keys=SqlReceiptKeys(writer, readers, signer=signer, clock=clock),
        replies=SqlReplies(writer, readers),
        reports=SqlUsageReports(writer, readers),
        statements=SqlStatements(readers),
        unbooked=SqlUnbooked(writer, readers, signer=signer),
        payments=SqlPaymentBooks(writer, readers, clock),
        payment_inbox=SqlPaymentInbox(writer, readers),
        payment_cash=SqlPaymentCash(readers),
        unfinished=SqlUnfinished(readers),
        writer=writer,
        readers=readers,
        presence=present,
        watching=watching,
    )


def _together(url: str | Path) -> int:
    """How many endings are brought to the books at a time."""
    return SHIPPED_BEHIND_A_WIRE if migrate.is_postgresql(url) else SHIPPED_TOGETHER


async def _followed(
    writer: Writing, readers: Reading, clock: Clock, news: News, watching: Watching
) -> tuple[SqlKeys, SqlModelRules, SqlRates, SqlAccountPlans, SqlMarkups, SqlPriceBooks]:
    """What is kept in memory as well and follows what other processes change."""
    keys, rules = SqlKeys(writer, readers, clock, news), SqlModelRules(writer, readers, news)
    account_plans, markups = SqlAccountPlans(writer, readers, news), SqlMarkups(writer, readers, news)
    rates, price_books = SqlRates(writer, readers, keys, news), SqlPriceBooks(writer, readers, news)
    for each in (keys, rules, rates, account_plans, markups, price_books):
        await each.start()
    watching.start()
    return keys, rules, rates, account_plans, markups, price_books


async def _connect(
    url: str | Path, *, clock: Clock, capacity: int
) -> tuple[Writing, Reading, Presence, News, Watching]:
    """Migrate and connect."""
    await asyncio.to_thread(migrate.upgrade, url)
    news = News()
    if migrate.is_postgresql(url):
        from monkey_coder_server.adapters.storage.postgres.open import connect  # noqa: PLC0415 - psycopg is heavy

        opened, listening = await connect(str(url), news, clock=clock, capacity=capacity)
        return *opened, news, listening
    path = migrate.sqlite_path(url)
    writer = Writer(partial(open_writer, path), clock=clock, capacity=capacity)
    await writer.start()
    readers = Readers(path)
    return writer, readers, lambda alone: presence(path, when_alone=alone), news, FileWatch(readers, news)
