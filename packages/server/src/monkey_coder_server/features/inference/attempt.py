"""Walks a plan until one model answers: budget, failover, places, keys, Retry-After. The only place they meet."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import FailureKind, GatewayError, ProviderFailure, Unavailable
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.call_budget import FOR_THE_STUCK
from monkey_coder_server.features.inference.contest import Contender, Contest, dismiss
from monkey_coder_server.features.inference.exchange import Answering, AttemptFailed, Exchange, milliseconds
from monkey_coder_server.features.inference.gates import Gates, Place
from monkey_coder_server.features.inference.health import NOT_THE_PROVIDERS_FAULT, THE_KEYS_FAULT, Health
from monkey_coder_server.features.inference.learnt_limits import spent_for
from monkey_coder_server.features.inference.prompt_caches import Thread
from monkey_coder_server.features.inference.refusals import all_rest, refusal, unsaid
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.search import Search
from monkey_coder_server.features.inference.trail import Trail, Waste, waste_of
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.upstream import Deadlines

SERVED = "served"
STOPPED = "stopped"
"""Outcome of a call that was given up: the deadline passed, or nobody waits for it."""
LIMITED = "stopped_at_limit"
"""Outcome of an answer we ended because its provider wrote more than it was asked to."""
A_MOMENT = 0.05
"""Seconds by which a provider's timeout may come before the caller's deadline that caused it."""


@dataclass(frozen=True, slots=True)
class AttemptSettings:
    """The budget of one request. Seconds; `pause` doubles with each repetition of the same model.

    `places` are the calls to one provider at a time, as many as its connection pool holds; `line` waits for one.
    """

    attempts: int = 3
    pause: float = 0.25
    longest_pause: float = 5.0
    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0
    places: int = 1024
    line: int = 512


class Effort(Record, frozen=True):
    """One request's way through its routes: best first, until `deadline` (monotonic seconds), for an account.

    `calling` is awaited before each call; whatever it raises is raised by the attempts, and nothing was called then.
    `contest` None: a late call is never joined by a second one.
    """

    account: str
    routes: tuple[Route, ...]
    request: ModelRequest
    thread: Thread
    stream: bool
    deadline: float
    trail: Trail
    calling: Callable[[Route, "Effort"], Awaitable[None]]
    relay: bool = True
    """Whether an answer in the caller's own dialect may be passed on unread."""
    contest: Contest | None = None


Taken = tuple[Route, tuple[int, str], Place]
"""A route that is about to be called, with the key, by its number, and the place that were taken for it."""


@dataclass(frozen=True, slots=True)
class _Call:
    number: int
    started: float


class Attempts:
    """Tries routes in order. A failure moves on only while the caller has seen nothing."""

    def __init__(self, exchange: Exchange, health: Health, clock: Clock, settings: AttemptSettings) -> None:
        self._exchange = exchange
        self._health = health
        self._clock = clock
        self._settings = settings
        self._gates = Gates(settings.places, settings.line)

    async def run(self, effort: Effort) -> Answering:
        """The first route that answers: whole, or its stream up to the first content. Whoever takes it closes it.

        Raises `ProviderFailed`, `ProviderTimedOut`, `ContextTooLong`, `InvalidRequest`; `Unavailable` when all is full.
        """
        search = Search(list(effort.routes))
        failure: ProviderFailure | None = None
        while search.calls < self._settings.attempts:
            taken = await self._next(search, effort)
            if taken is None:
                break
            route, contest = taken[0], effort.contest
            self._spend(route, search)
            late = None
            if contest is not None and search.calls == 1:
                late = self._health.hedge_after(route.name, stream=effort.stream)
            try:
                if contest is None or late is None:
                    return await self._call(taken, effort)
                return await self._raced(taken, search, effort, contest, late)
            except AttemptFailed as failed:
                failure = failed.failure
                if late is None:  # else that was done for each of them
                    search.failed(route, failure)
            if not failure.moves_on:
                break
        if failure is None and search.busy is not None:
            message = f"Everything this gateway may ask of {search.busy} at a time is under way; try again."
            raise Unavailable(message, retry_after=1.0)
        raise refusal(failure or all_rest(effort.routes, self._clock.monotonic()), effort.trail)

    def ended(self, answering: Answering, trail: Trail, outcome: str, *, usage: Usage | None = None) -> None:
        """An answer came to its end, or we stopped reading it: note it for health, books and receipt.

        `usage` is its own, where that was reckoned already.
        """
        now = self._clock.monotonic()
        total = milliseconds(answering.started, now)
        if outcome == SERVED:
            route = answering.route
            self._health.succeeded(
                route.name,
                first_byte_ms=answering.first_byte_ms,
                total_ms=total,
                now=now,
                output_tokens=answering.written if usage is None or usage.doubts else usage.output,
                stream=answering.decoder is not None,
            )
        trail.records.append(answering.record(outcome, total))

    def broke(self, answering: Answering, trail: Trail) -> GatewayError:
        """A stream failed after its beginning was delivered, or ended without a word; what to tell the caller."""
        now = self._clock.monotonic()
        failure = answering.answer.failure or unsaid(answering)
        if answering.answer.finish is not None:
            trail.wasted.append(waste_of(answering, unfinished=False, request=trail.request))
        self._health.failed(answering.route.name, failure.kind, now, began=answering.started)
        trail.records.append(answering.record(failure.kind, milliseconds(answering.started, now)))
        return refusal(failure, trail)

    async def _raced(self, taken: Taken, search: Search, effort: Effort, contest: Contest, late: float) -> Answering:
        """The answer of one call, or of the second beside it. Raises `AttemptFailed` when no call answers."""
        route = taken[0]
        running = [self._enter(taken, effort, contest)]
        try:
            leaving = FOR_THE_STUCK if self._health.knows_pace(route.name, stream=effort.stream) else 0.0
            while len(running) == 1 and (await asyncio.wait((running[0].task,), timeout=late))[1]:
                second = self._take_second(running[0], search, effort, contest, leaving=leaving)
                leaving = 0.0
                if second is not None:
                    running.append(self._enter(second, effort, contest))
            return await self._first_to_speak(running, search, effort, contest)
        except BaseException:
            for contender in running:
                contest.left(contender)
            await dismiss(running, effort.trail)
            raise

    def _enter(self, taken: Taken, effort: Effort, contest: Contest) -> Contender:
        """Begin a call in a task of its own."""
        route, (key_number, _), place = taken
        contender = Contender(route, key_number, place, self._clock.monotonic())

        async def calling(route: Route, _: Effort) -> None:
            await effort.calling(route, effort)
            contender.called = True

        own = replace(effort, trail=contender.trail, calling=calling, contest=None)
        contest.entered(contender)
        contender.begin(asyncio.create_task(self._call(taken, own)))
        return contender

    async def _first_to_speak(
        self, running: list[Contender], search: Search, effort: Effort, contest: Contest
    ) -> Answering:
        """The first answer of those that run; of those that come at once, that of the earlier call.

        Raises what the last one raised when none answers. Whoever is left in `running` is the caller's to stop.
        """
        first = running[0]
        while True:
            await asyncio.wait([each.task for each in running], return_when=asyncio.FIRST_COMPLETED)
            for contender in [each for each in running if each.task.done()]:
                running.remove(contender)
                effort.trail.take(contender.trail)
                try:
                    answering = contender.task.result()
                except (AttemptFailed, GatewayError) as failed:
                    contest.left(contender)
                    if isinstance(failed, AttemptFailed):
                        search.failed(contender.route, failed.failure)
                    if not running:
                        raise
                    continue
                if running and running[0] is first:
                    self._health.beaten(first.route.name, self._clock.monotonic(), began=first.began)
                contest.kept(contender, running.pop() if running else None)
                return answering

    def _take_second(
        self, first: Contender, search: Search, effort: Effort, contest: Contest, *, leaving: float
    ) -> Taken | None:
        """A route to be called beside a late one at once, within the hedge budget; none is waited for.

        What refuses keys is asked no more than it has to be, a probe is to tell how its own model does, and a call that
        was not made yet is not late.
        """
        now, budget = self._clock.monotonic(), self._gates.hedges
        over = search.calls >= self._settings.attempts or now >= effort.deadline
        if (
            over
            or not first.called
            or not budget.allows(now, leaving=leaving)
            or self._health.refuses(first.route.name, now)
            or self._health.tries(first.route.name, first.began)
        ):
            return None
        for route in contest.seconds(first.route, search.pending):
            gate = self._gates.of(route.provider.name)
            ready = self._health.well(route.name, now) and self._pause(route, search, now) <= 0.0
            if not (ready and gate.bulkhead.free_for(effort.account)):
                continue
            but = first.key_number if route.name == first.route.name else None
            key = route.keys.take(route.card.model, now, but=but, session=effort.thread.session)
            if key is None:
                continue
            gate.bulkhead.take(effort.account)
            budget.spend(now)
            if route.provider.name not in search.called:
                gate.called(now, again=False, elsewhere=False)
            search.called.add(route.provider.name)
            search.calls += 1
            if route in search.pending:
                search.pending.remove(route)
            return route, key, Place(gate.bulkhead, effort.account, route.keys, key[0])
        return None

    async def _call(self, taken: Taken, effort: Effort) -> Answering:
        """What a route answers. The place that was taken for it is left when no answer comes."""
        route, key, place = taken
        effort.trail.route = route
        number, started = 0, self._clock.monotonic()  # as long as nothing is called
        self._health.claimed(route.name, started)
        try:
            await effort.calling(route, effort)
            started = self._clock.monotonic()
            number = self._health.started(route.name, started, stream=effort.stream)
            call = self._exchange.begin if effort.stream else self._exchange.whole
            asked, deadlines = effort.thread.asked(effort.request, route), self._deadlines(effort, started)
            answering = await call(route, asked, key=key, deadlines=deadlines, relay=effort.relay)
            answering.place = place
            self._began(answering, number, effort)
        except BaseException as stopped:
            place.leave()
            if not number:
                self._health.unclaimed(route.name)
            elif isinstance(stopped, AttemptFailed):
                self._note(stopped, route, key[0], effort, _Call(number, started))
            else:
                self._stopped(stopped, route, effort, _Call(number, started))
            raise
        return answering

    def _stopped(self, by: BaseException, route: Route, effort: Effort, call: "_Call") -> None:
        """A call ended that neither answered nor failed: it was cancelled, or could not be made."""
        now = self._clock.monotonic()
        waited = milliseconds(call.started, now)
        self._health.given_up(route.name, call.number, waited, now)
        if isinstance(by, asyncio.CancelledError):
            effort.trail.records.append(AttemptRecord(route.provider.name, route.card.model, STOPPED, None, waited))

    def _began(self, answering: Answering, number: int, effort: Effort) -> None:
        """An answer is there, or its first token."""
        route, now = answering.route, self._clock.monotonic()
        model, first_byte_ms = route.card.model, answering.first_byte_ms
        if effort.stream:
            self._health.heard(route.name, number, first_byte_ms, now)
        else:
            self._health.answered_whole(route.name, milliseconds(answering.started, now))
        route.keys.answered(answering.key_number, model, first_byte_ms, now, began=answering.started)
        seconds = spent_for(answering.headers, self._clock.now)
        if seconds > 0.0:
            route.keys.spent(answering.key_number, model, seconds, now)

    def _note(self, failed: AttemptFailed, route: Route, key_number: int, effort: Effort, call: "_Call") -> None:
        now, trail = self._clock.monotonic(), effort.trail
        failure, identity, total_ms = failed.failure, failed.provider_request_id, milliseconds(call.started, now)
        if failure.kind is FailureKind.TIMEOUT and self._in_a_hurry(route, effort, now - call.started, now):
            self._health.given_up(route.name, call.number, total_ms, now)
        else:
            began = call.started
            self._health.failed(route.name, failure.kind, now, began=began, number=call.number)
            if failure.kind in THE_KEYS_FAULT:
                route.keys.refused(key_number, route.card.model, failure, now)
                self._health.refused(route.name, key_number, now, began=began, retry_after=failure.retry_after)
            elif failure.kind not in NOT_THE_PROVIDERS_FAULT:
                route.keys.failed(key_number, route.card.model, now, began=began)
        if failed.answer.finish is not None:
            trail.wasted.append(
                Waste(route, failed.answer, unfinished=False, provider_request_id=identity, request=trail.request)
            )
        trail.records.append(
            AttemptRecord(route.provider.name, route.card.model, failure.kind, None, total_ms, identity)
        )

    def _in_a_hurry(self, route: Route, effort: Effort, waited: float, now: float) -> bool:
        """Whether the caller left less time than any model may take: that says nothing about the provider."""
        return now >= effort.deadline - A_MOMENT and waited < self._health.late_after(route.name)

    def _spend(self, route: Route, search: Search) -> None:
        provider, now = route.provider.name, self._clock.monotonic()
        again = provider in search.called
        self._gates.of(provider).called(now, again=again, elsewhere=not again and bool(search.called))
        hedges = self._gates.hedges
        (hedges.spend if search.called else hedges.called)(now)
        search.called.add(provider)
        search.calls += 1

    async def _next(self, search: Search, effort: Effort) -> Taken | None:
        """The first route that need not wait, else the one with the shortest pause, waited for; none when too long."""
        clock = self._clock.monotonic
        now = clock()
        patience = min(effort.deadline, now + self._settings.longest_pause)
        if search.called:
            search.pending = [route for route in search.pending if self._may_be_called(route, search)]
        pending = search.pending
        while pending:
            ready, shortest = self._ready(pending, search, now)
            if shortest > 0.0:
                if now + shortest > patience:
                    break
                await asyncio.sleep(shortest)
                now = clock()
            route = ready[0] if len(ready) == 1 else self._preferred(ready, effort.account, now)
            bulkhead = self._gates.of(route.provider.name).bulkhead
            if not bulkhead.take(effort.account):
                given = await bulkhead.wait(effort.account, patience - now)
                now = clock()
                if not given:
                    search.busy = route.provider.name
                    pending.remove(route)
                    continue
            key = route.keys.take(route.card.model, now, session=effort.thread.session)
            if key is None:
                bulkhead.leave(effort.account)
                continue
            pending.remove(route)
            return route, key, Place(bulkhead, effort.account, route.keys, key[0])
        return None

    def _ready(self, pending: Sequence[Route], search: Search, now: float) -> tuple[Sequence[Route], float]:
        """Those with the shortest pause, and its seconds."""
        if len(pending) == 1:
            return pending, self._pause(pending[0], search, now)
        pauses = [self._pause(route, search, now) for route in pending]
        shortest = min(pauses)
        return [route for route, pause in zip(pending, pauses, strict=True) if pause <= shortest], shortest

    def _preferred(self, ready: Sequence[Route], account: str, now: float) -> Route:
        """The first with a place whose breaker admits a call at this very moment, as far as there are any."""
        free = [route for route in ready if self._gates.of(route.provider.name).bulkhead.free_for(account)] or ready
        return next((route for route in free if self._health.admits(route.name, now)), free[0])

    def _may_be_called(self, route: Route, search: Search) -> bool:
        """Whether the provider was not called for this request yet, or its retry budget allows it once more."""
        provider = route.provider.name
        return provider not in search.called or self._gates.of(provider).budget.allows(self._clock.monotonic())

    def _pause(self, route: Route, search: Search, now: float) -> float:
        """Seconds. While a model rests it refuses one key of a request, not one key after another."""
        wait = route.keys.wait(route.card.model, now)
        repeated = search.repeats.get(route.name)
        if repeated is None:
            return wait
        rest = self._health.rests(route.name, now) if route.name in search.refused else 0.0
        return max(wait, rest, self._settings.pause * 2.0 ** (repeated - 1))

    def _deadlines(self, effort: Effort, now: float) -> Deadlines:
        left = max(0.001, effort.deadline - now)
        patience = self._settings.first_byte if effort.stream else left
        return Deadlines(
            connect=min(self._settings.connect, left),
            first_byte=min(patience, left),
            idle=min(self._settings.idle, left),
            total=left,
        )
