"""Puts the request path together: its listings, its pipeline, its routes."""

from collections.abc import Callable, Iterator
from functools import partial

from monkey_coder_protocol import execute as wire
from monkey_coder_protocol.billing import Feedback, Quote
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.errors import GatewayError, PriceUnknown
from monkey_coder_server.domain.model_facts import UNKNOWN, facts_of
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.scopes import EXECUTE, ROUTER_DEBUG
from monkey_coder_server.features.inference import doors
from monkey_coder_server.features.inference.admission import Admission
from monkey_coder_server.features.inference.api import ExecuteApi
from monkey_coder_server.features.inference.attempt import Attempts
from monkey_coder_server.features.inference.caching import Revision
from monkey_coder_server.features.inference.debug import DebugApi
from monkey_coder_server.features.inference.decision_log import DecisionWriter
from monkey_coder_server.features.inference.dependencies import Access, Dependencies
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.exchange import Exchange
from monkey_coder_server.features.inference.feedback import FeedbackApi
from monkey_coder_server.features.inference.guards import Guards
from monkey_coder_server.features.inference.hall import Hall
from monkey_coder_server.features.inference.hedge import Hedges
from monkey_coder_server.features.inference.house import House
from monkey_coder_server.features.inference.keyring import KeyRing
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.limits import rate_headers
from monkey_coder_server.features.inference.loops import Loops
from monkey_coder_server.features.inference.pipeline import Pipeline
from monkey_coder_server.features.inference.planning import Listing, Planner
from monkey_coder_server.features.inference.prompt_caches import PromptCaches
from monkey_coder_server.features.inference.quote import QuoteApi
from monkey_coder_server.features.inference.quotes import QuoteBook
from monkey_coder_server.features.inference.recalling import Recalling
from monkey_coder_server.features.inference.repeats import Repeats
from monkey_coder_server.features.inference.reports import Reports
from monkey_coder_server.features.inference.response_cache import ResponseCache
from monkey_coder_server.features.inference.rewordings import Rewordings
from monkey_coder_server.features.inference.route import Candidate
from monkey_coder_server.features.inference.running import Running
from monkey_coder_server.features.inference.schooling import Schooling
from monkey_coder_server.features.inference.settlement import Settlements
from monkey_coder_server.features.inference.sharing import Sharing
from monkey_coder_server.features.inference.study import Study
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import ErrorRenderer, Feature, Route
from monkey_coder_server.web.problem import NativeProblems, problem_headers
from monkey_coder_server.web.respond import json_reply


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies. Its `stop` waits for the settlements of everything in flight."""
    options = use.options
    learning, running = Learning(use.clock, use.decision_queue), Running()
    planner = Planner(
        use.catalog, _lister(use), prices=use.prices, health=use.health, learning=learning, clock=use.clock
    )
    quotes = QuoteBook(use.quotes, use.clock, use.ids)
    reports = Reports(learning, use.ledger)
    desk = Desk(use.limits, quotes, reports, use.clock)
    settlements = Settlements(use.ledger, use.clock, use.telemetry, running=running, patience=options.patience)
    cache = _cache(use, settlements, running)
    pipeline = _pipeline(use, planner, learning, running, settlements, cache)
    attempts = options.attempt.attempts
    execute = ExecuteApi(desk, pipeline, use.problems, cache, keep_alive=options.keep_alive)
    quote = QuoteApi(desk, planner, quotes, learning.foresight, attempts=attempts)
    debug = DebugApi(desk, planner, learning, use.health, use.clock, attempts=attempts)
    feedback = FeedbackApi(desk, reports)
    errors = _with_rate_headers(use.problems)
    hall = Hall(
        desk=desk,
        pipeline=pipeline,
        clock=use.clock,
        top_up_url=use.problems.top_up_url,
        keep_alive=options.keep_alive,
        answers=use.answers,
        telemetry=use.telemetry,
        guards=Guards(Loops(options.loops, use.clock), Repeats()),
        cache=cache,
    )

    schooling = Schooling(learning.foresight, use.lessons, seconds=options.lessons)
    study = Study(learning, _sharing(use, learning), seconds=options.lessons)

    decisions = DecisionWriter(learning.decisions, use.decisions, seconds=options.lessons)

    async def start() -> None:
        await decisions.start()
        await schooling.start()
        await study.start()

    async def stop() -> None:
        await running.drain(options.shutdown)
        await learning.checking.stop()
        await schooling.stop()
        await study.stop()
        await decisions.stop()

    task = partial(Route, "POST", auth="any", errors=errors, takes=wire.ExecuteRequest)
    routes = (
        task("/v1/execute", execute.execute, scope=EXECUTE, gives=wire.ExecuteResponse),
        task("/v1/execute/stream", execute.stream, scope=EXECUTE),
        task("/v1/quote", quote.quote, scope=EXECUTE, once=True, gives=Quote),
        task("/v1/router/debug", debug.debug, scope=ROUTER_DEBUG),
        Route("POST", "/v1/feedback", feedback.report, scope=EXECUTE, errors=errors, once=True, takes=Feedback),
        *doors.routes(hall),
    )
    return Feature("inference", routes, start=start, stop=stop)


def _sharing(use: Dependencies, learning: Learning) -> tuple[Sharing, ...]:
    """What was seen of arms, of checks and of texts, each under a name of its own that no other process has."""
    beliefs, trust, surprises, clock = learning.beliefs, learning.trust, learning.texts.hearing.surprises, use.clock
    return (
        Sharing(beliefs.evidence, beliefs.take, use.evidence, clock, instance=use.ids.new("learner")),
        Sharing(trust.evidence, trust.take, use.verdicts, clock, instance=use.ids.new("learner")),
        Sharing(surprises, surprises.read, use.texts, clock, instance=use.ids.new("learner")),
    )


def _cache(use: Dependencies, settlements: Settlements, running: Running) -> ResponseCache:
    base_urls = [(access.provider.name, access.base_url) for access in use.access]
    revision, settings, embedding = Revision(use.catalog, base_urls, use.prices), use.options.cache, use.embedding
    return ResponseCache(
        use.cache,
        Recalling(use.ledger, settlements, use.clock),
        revision,
        None if embedding is None else Rewordings(use.cache, embedding, revision, settings),
        clock=use.clock,
        telemetry=use.telemetry,
        running=running,
        settings=settings,
        counts=use.cache_counts,
    )


def _pipeline(  # noqa: PLR0913, PLR0917 - what it is put together from
    use: Dependencies,
    planner: Planner,
    learning: Learning,
    running: Running,
    settlements: Settlements,
    cache: ResponseCache,
) -> Pipeline:
    options = use.options
    attempts = Attempts(Exchange(use.upstream, use.clock), use.health, use.clock, options.attempt)
    return Pipeline(
        admission=Admission(use.ledger, planner, attempts=options.attempt.attempts),
        attempts=attempts,
        hedges=Hedges(attempts, House(use.ledger, settlements, running), use.hedge_figures, unasked=options.hedged),
        cache=cache,
        settlements=settlements,
        learning=learning,
        ledger=use.ledger,
        clock=use.clock,
        telemetry=use.telemetry,
        running=running,
        prompt_caches=PromptCaches(use.clock, options.prompt_caches),
        settings=options.pipeline,
    )


def _lister(use: Dependencies) -> Callable[[PriceList, str], Iterator[Listing]]:
    """Every model of the catalogue as a plan pays for it, with what it takes to call and bill it where there is that.

    Keys and what is known of them outlive the prices.
    """
    rings = {access.provider.name: KeyRing(access.keys) for access in use.access}
    reached = {access.provider.name: access for access in use.access}

    def listings(prices: PriceList, plan: str) -> Iterator[Listing]:
        for card in use.catalog.cards:
            access = reached.get(card.provider)
            if access is None or not access.keys:
                yield Listing(card, keyed=False, candidate=None, facts=facts_of(card, None, 0, UNKNOWN))
                continue
            try:
                tariff = _tariff(prices, plan, card)
            except PriceUnknown as unknown:
                facts = facts_of(card, None, 0, access.data)
                yield Listing(card, keyed=True, candidate=None, facts=facts, problem=unknown.message)
                continue
            facts = facts_of(card, tariff.row, tariff.markup, access.data)
            yield Listing(
                card, keyed=True, candidate=_candidate(card, access, rings[card.provider], tariff), facts=facts
            )

    return listings


def _tariff(prices: PriceList, plan: str, card: ModelCard) -> Tariff:
    row = prices.book.row(card.provider, card.model)
    return Tariff(row, prices.basis_points(plan, card.provider, card.model), prices.book.id)


def _candidate(card: ModelCard, access: Access, keys: KeyRing, tariff: Tariff) -> Candidate:
    return Candidate(card, access.provider, access.base_url.rstrip("/"), keys, tariff, card.name)


def _with_rate_headers(problems: NativeProblems) -> ErrorRenderer:
    """Native errors that carry `x-ratelimit-*` where our own limit refused."""

    def render(error: GatewayError, request_id: str) -> Reply:
        body = problems.body(error, request_id)
        headers = [*problem_headers(error), *rate_headers(error.facts)]
        return json_reply(body, status=body.status_code, headers=headers)

    return render
