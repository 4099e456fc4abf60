"""The gateway composed: providers, features and stores behind one application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from monkey_coder_protocol.version import VERSION
from monkey_coder_server.adapters.exports.parquet import ParquetTable
from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.adapters.upstream.client import HttpUpstream
from monkey_coder_server.app import Application, AppOptions, Drain, Services
from monkey_coder_server.bootstrap.alerts import run_alerts
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.bootstrap.buying import buying_of, keep_paying
from monkey_coder_server.bootstrap.caching import cache_counts, cache_settings, open_cache, open_embedding
from monkey_coder_server.bootstrap.daily import DailyComparison
from monkey_coder_server.bootstrap.house_rates import house_rates
from monkey_coder_server.bootstrap.leasing import open_ledger
from monkey_coder_server.bootstrap.limits import open_quotas, rate_left
from monkey_coder_server.bootstrap.mail import track_mail
from monkey_coder_server.bootstrap.offered import facts_by_plan
from monkey_coder_server.bootstrap.overload import watch_overload
from monkey_coder_server.bootstrap.payments import RunningPayments, run_payments
from monkey_coder_server.bootstrap.plans import keep_invoicing, order_plan_of, plans_of, sender_of
from monkey_coder_server.bootstrap.prices import AUTO, CurrentPrices, begin_charging, installed
from monkey_coder_server.bootstrap.pricing import pricing_of
from monkey_coder_server.bootstrap.promotions import promotions_of
from monkey_coder_server.bootstrap.prompt_caches import prompt_cache_settings
from monkey_coder_server.bootstrap.receipt_keys import PublishedKeys, open_receipt_keys
from monkey_coder_server.bootstrap.reports import keep_reports
from monkey_coder_server.bootstrap.shared import open_shared, redis_check, throttles_of
from monkey_coder_server.bootstrap.simulators import simulators
from monkey_coder_server.bootstrap.supplies import PROVIDERS, Supply, supply_of
from monkey_coder_server.bootstrap.sweeper import Sweeper
from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.model_facts import ModelFacts
from monkey_coder_server.domain.money import parse_percent
from monkey_coder_server.features import accounts, audit, billing, catalog, inference, ops, pricing
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.quotas import Quotas
from monkey_coder_server.ports.upstream import Upstream
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.assurance import Assurance
from monkey_coder_server.web.audited import Refusals
from monkey_coder_server.web.feature import Feature
from monkey_coder_server.web.once import Once
from monkey_coder_server.web.problem import NativeProblems

SETTLE_SECONDS = 10.0
"""How long a shutdown waits for requests whose callers are gone to learn what they cost."""
SECOND = timedelta(seconds=1)


class Gateway:
    """A composed gateway: an ASGI application with everything behind it running."""

    def __init__(self, books: Books, application: Application, metrics: Metrics, supplies: Sequence[Supply]) -> None:
        self.books = books
        self.application = application
        self.drain = application.drain
        self.metrics = metrics
        self.supplies = tuple(supplies)


@contextlib.asynccontextmanager
async def open_gateway(
    settings: Settings,
    *,
    sandbox: bool = False,
    simulated: Mapping[str, str] = MappingProxyType({}),
    share: tuple[int, int] = (0, 1),
) -> AsyncIterator[Gateway]:
    """Everything but sockets to listen on. At the end of the block features finish their work, then stores close.

    `sandbox` runs simulated providers beside it, `simulated` names those that run elsewhere, by their base URLs.
    `share` says which of how many processes on this host it is, counted from 0: each allows its part of limits.
    """
    async with AsyncExitStack() as stack:
        books = await stack.enter_async_context(open_books(settings))
        receipt_keys, now = await open_receipt_keys(books), books.clock.now()
        automatic = settings.price_book == AUTO
        await begin_charging(books.storage.price_books, installed(PROVIDERS, now), now, automatic=automatic)
        metrics = Metrics(VERSION)
        track_mail(metrics, books.outbox)
        shared = await stack.enter_async_context(open_shared(settings, metrics))
        quotas = await stack.enter_async_context(open_quotas(books, shared, metrics, share))
        ledger = await stack.enter_async_context(open_ledger(books, metrics))
        if sandbox:
            simulated = await stack.enter_async_context(simulators())
        supplies = [supply_of(provider, settings, simulated) for provider in PROVIDERS]
        upstream = HttpUpstream()
        stack.push_async_callback(upstream.close)
        drain = Drain()
        paying = await stack.enter_async_context(run_payments(books, metrics))
        gate = None if paying is None else paying.side.gate
        trade = buying_of(books, gate, order_plan=order_plan_of(books, gate))
        alerts = await stack.enter_async_context(run_alerts(books, throttles_of(books, shared), metrics))
        parts = _Parts(
            books, receipt_keys, ledger, metrics, supplies, upstream, drain, trade, paying, alerts, shared, quotas
        )
        features = _features(parts)
        for feature in features:
            if feature.stop is not None:
                stack.push_async_callback(feature.stop)
            if feature.start is not None:
                await feature.start()
        sweeper = asyncio.create_task(Sweeper(books.storage, books.clock).run(metrics))
        housekeeper = asyncio.create_task(keep_reports(books, metrics, DailyComparison(books)))
        if gate is not None:
            stack.callback(asyncio.create_task(keep_paying(trade, gate, metrics)).cancel)
        invoicer = asyncio.create_task(
            keep_invoicing(billing.plans.Invoicer(plans_of(books), sender_of(trade, gate)), metrics)
        )
        stack.callback(invoicer.cancel)
        stack.callback(housekeeper.cancel)
        stack.callback(sweeper.cancel)
        application = _application(books, metrics, features, drain)
        stack.push_async_callback(application.services.refusals.settle)
        stack.enter_context(watch_overload(metrics, application.turnstile))
        apart = "Seconds by which the database's clock is ahead of this machine's."
        metrics.track("monkey_coder_clock_apart_seconds", apart, lambda: books.storage.watching.apart / SECOND)
        metrics.track("monkey_coder_active_requests", "Requests being answered now.", lambda: float(drain.in_flight))
        yield Gateway(books, application, metrics, supplies)


@dataclass(frozen=True, slots=True)
class _Parts:
    books: Books
    receipt_keys: PublishedKeys
    ledger: LeasedLedger
    metrics: Metrics
    supplies: Sequence[Supply]
    upstream: Upstream
    drain: Drain
    trade: billing.buying.Dependencies
    paying: RunningPayments | None
    alerts: billing.alerting.Dependencies
    shared: RedisStore | None
    quotas: Quotas


def _features(parts: _Parts) -> tuple[Feature, ...]:
    books, settings = parts.books, parts.books.settings
    models = Catalog(card for provider in PROVIDERS for card in provider.offers)
    prices = open_prices(books)
    health = _health(parts)
    data = {supply.provider.name: supply.data for supply in parts.supplies}
    keyed = {supply.provider.name for supply in parts.supplies if supply.keys}

    others = (
        inference.build(
            inference.Dependencies(
                access=[each.access for each in parts.supplies],
                catalog=models,
                prices=prices,
                ledger=parts.ledger,
                upstream=parts.upstream,
                limits=inference.Limits(parts.quotas, books.storage.rates.standing, house_rates(settings)),
                quotes=books.storage.quotes,
                lessons=books.storage.lessons,
                evidence=books.storage.evidence,
                verdicts=books.storage.verdicts,
                texts=books.storage.texts,
                decisions=books.storage.decisions,
                decision_queue=_decision_queue(parts),
                answers=books.storage.answers,
                cache=open_cache(books, parts.metrics, parts.shared),
                cache_counts=cache_counts(parts.metrics),
                embedding=open_embedding(settings),
                clock=books.clock,
                ids=books.ids,
                telemetry=parts.metrics,
                problems=NativeProblems(_top_up_url(settings)),
                health=health,
                hedge_figures=_hedge_figures(parts),
                options=_options(settings),
            )
        ),
        _accounts(parts, facts_by_plan(models, prices, data, keyed)),
        catalog.build(
            catalog.Dependencies(
                catalog=models,
                providers=PROVIDERS,
                states={supply.provider.name: supply.state for supply in parts.supplies},
                healthy=_healthy(health, models, books.clock),
                data=data,
                prices=prices,
                clock=books.clock,
                version=VERSION,
                environment="production" if settings.production else "development",
            )
        ),
        _billing(parts, [(card.provider, card.model) for card in models.cards]),
        pricing.build(pricing_of(books, models, prices)),
        audit.build(books.storage.audit, books.clock),
    )
    return (*others, _ops(parts, others))


def open_prices(books: Books) -> CurrentPrices:
    """What a process over these books charges. A book is activated by now."""
    storage, markup = books.storage, parse_percent(books.settings.markup_percent)
    return CurrentPrices(
        lambda: storage.price_books.known, books.clock, markup=markup, rules=lambda: storage.markups.known
    )


def _accounts(parts: _Parts, offered: Callable[[str], Sequence[ModelFacts]]) -> Feature:
    limiter = throttles_of(parts.books, parts.shared)
    return accounts.build(replace(parts.books.accounts, ledger=parts.ledger, offered=offered, limiter=limiter))


def _options(settings: Settings) -> inference.Options:
    return inference.Options(
        shutdown=SETTLE_SECONDS,
        loops=inference.LoopSettings(settings.loop_repeats, float(settings.loop_seconds)),
        hedged=settings.hedged_requests,
        cache=cache_settings(settings),
        prompt_caches=prompt_cache_settings(settings),
    )


def _health(parts: _Parts) -> inference.Health:
    health, clock = inference.Health(), parts.books.clock
    help_text = "Models that are tried last because they failed, were late or refused our keys."
    parts.metrics.track("monkey_coder_open_breakers", help_text, lambda: health.open(clock.monotonic()))
    return health


def _hedge_figures(parts: _Parts) -> inference.HedgeFigures:
    hedges, track = inference.HedgeFigures(), parts.metrics.track
    track("monkey_coder_hedges_started", "Second calls beside one that was late.", lambda: float(hedges.started))
    track("monkey_coder_hedges_won", "Second calls that spoke before the first.", lambda: float(hedges.won))
    return hedges


def _decision_queue(parts: _Parts) -> inference.DecisionQueue:
    queue = inference.DecisionQueue(parts.books.clock)
    parts.metrics.track(
        "monkey_coder_routing_log_dropped",
        "Decisions and outcomes that were not logged because too many waited.",
        lambda: float(queue.dropped),
    )
    return queue


def _billing(parts: _Parts, offers: Collection[tuple[str, str]]) -> Feature:
    books = parts.books
    return billing.build(
        billing.Dependencies(
            ledger=parts.ledger,
            reports=books.storage.reports,
            parquet=ParquetTable,
            limits=books.storage.limits,
            clock=books.clock,
            statements=books.storage.statements,
            receipt_keys=parts.receipt_keys,
            standing=books.storage.payments.standing,
            top_up_url=_top_up_url(books.settings),
            buying=parts.trade,
            webhook=parts.paying.webhook if parts.paying is not None else None,
            offers=offers,
            rate_left=rate_left(books, parts.quotas),
            plans=plans_of(books),
            promotions=promotions_of(books),
            alerting=parts.alerts,
        )
    )


def _ops(parts: _Parts, others: Sequence[Feature]) -> Feature:
    return ops.build(
        ops.Dependencies(
            checks=_checks(parts),
            draining=lambda: parts.drain.draining,
            clock=parts.books.clock,
            version=VERSION,
            base_url=parts.books.settings.base_url,
            others=[route for feature in others for route in feature.routes],
        )
    )


def _healthy(health: inference.Health, models: Catalog, clock: Clock) -> Callable[[str], bool]:
    """Whether a provider answers, by its models."""

    def answers(provider: str) -> bool:
        names = [card.name for card in models.cards if card.provider == provider]
        return _any_answers(health, names, clock.monotonic())

    return answers


def _any_answers(health: inference.Health, names: Sequence[str], now: float) -> bool:
    """Whether one of the models that were called has a breaker that is not open; also when none was called yet."""
    called = [pulse for name in names if (pulse := health.pulse(name, now)).known]
    return not called or any(pulse.state != "open" for pulse in called)


def _top_up_url(settings: Settings) -> str:
    return f"{settings.base_url}/billing"


def _checks(parts: _Parts) -> Mapping[str, ops.Check]:
    books, supplies = parts.books, parts.supplies

    async def database() -> str:
        if books.storage.healthy():
            return ops.HEALTHY
        return ops.CARRIED if parts.ledger.carries_on and not books.storage.keys.stale else "failing"

    async def journal() -> str:
        return ops.HEALTHY if parts.ledger.open_for_new else "no room"

    async def providers() -> str:
        usable = sum(1 for supply in supplies if supply.keys)
        return f"{usable} of {len(supplies)} configured"

    shared = {} if parts.shared is None else {"redis": redis_check(parts.shared)}
    return {
        "database": ops.Check(database, needed=True),
        "journal": ops.Check(journal, needed=True),
        "providers": ops.Check(providers, needed=False),
        **shared,
    }


def _application(books: Books, metrics: Metrics, features: Sequence[Feature], drain: Drain) -> Application:
    settings = books.settings
    services = Services(
        authenticator=books.authenticator,
        assurance=Assurance(books.accounts.factors.rules, books.storage.tickets, books.clock),
        problems=NativeProblems(_top_up_url(settings)),
        telemetry=metrics,
        clock=books.clock,
        ids=books.ids,
        observe=metrics.observe_http,
        once=Once(books.storage.replies, AesSealing(settings.key_pepper.reveal().encode()), books.clock),
        refusals=Refusals(books.storage.audit, books.clock),
    )
    options = AppOptions(
        cors_origins=settings.cors_origins,
        trusted_hops=settings.trusted_proxy_hops,
        https_only=settings.production and settings.base_url.startswith("https://"),
    )
    return Application(features, services, options=options, drain=drain)
