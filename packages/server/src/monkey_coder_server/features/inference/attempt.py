"""Walks a plan until one model answers: retry budget, failover, key rotation, Retry-After. The only place they live."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import (
    ContextTooLong,
    FailureKind,
    GatewayError,
    ProviderFailed,
    ProviderFailure,
    ProviderTimedOut,
)
from monkey_coder_server.domain.stream_events import Answer
from monkey_coder_server.features.inference.exchange import Answering, AttemptFailed, Exchange, milliseconds
from monkey_coder_server.features.inference.health import THE_KEYS_FAULT, Health
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.upstream import Deadlines

WORTH_REPEATING = frozenset(
    {FailureKind.OVERLOADED, FailureKind.SERVER_ERROR, FailureKind.CONNECTION, FailureKind.RATE_LIMIT}
)
"""Kinds after which the same model may answer a moment later, and which bill nothing."""
OUR_OWN = frozenset({FailureKind.AUTHENTICATION, FailureKind.PERMISSION, FailureKind.QUOTA})
"""Kinds that concern the gateway's account: the provider's words (they name our key) are not passed on."""
SERVED = "served"
STOPPED = "stopped"
"""Outcome of a call that was given up: the deadline passed, or nobody waits for it."""
LIMITED = "stopped_at_limit"
"""Outcome of an answer we ended because its provider wrote more than it was asked to."""
SENTENCE = 300
"""Characters of a provider's message that are passed on."""


@dataclass(frozen=True, slots=True)
class AttemptSettings:
    """The budget of one request. Seconds; `pause` doubles with each repetition of the same model."""

    attempts: int = 3
    pause: float = 0.25
    longest_pause: float = 5.0
    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0


class Waste(Record, frozen=True):
    """An answer nobody gets and the provider bills. `unfinished`: we stopped reading it.

    An answer the provider broke itself is not one: it is taken to bill nothing for it, and invoices are reconciled.
    """

    route: Route
    answer: Answer
    unfinished: bool
    provider_request_id: str | None = None


def waste_of(answering: Answering, *, unfinished: bool) -> Waste:
    """The answer so far as one nobody gets."""
    return Waste(answering.route, answering.answer, unfinished, answering.provider_request_id)


@dataclass(slots=True)
class Trail:
    """What was tried for one request."""

    records: list[AttemptRecord] = field(default_factory=list)
    wasted: list[Waste] = field(default_factory=list)
    route: Route | None = None
    """The last one tried."""


class Effort(Record, frozen=True):
    """One request's way through its routes: best first, until `deadline` (monotonic seconds).

    `calling` is awaited before each call; whatever it raises is raised by the attempts, and nothing was called then.
    """

    routes: tuple[Route, ...]
    request: ModelRequest
    stream: bool
    deadline: float
    trail: Trail
    calling: Callable[[Route, "Effort"], Awaitable[None]]


class Attempts:
    """Tries routes in order. A failure moves on only while the caller has seen nothing."""

    def __init__(self, exchange: Exchange, health: Health, clock: Clock, settings: AttemptSettings) -> None:
        self._exchange = exchange
        self._health = health
        self._clock = clock
        self._settings = settings

    async def run(self, effort: Effort) -> Answering:
        """The first route that answers: whole, or its stream up to the first content.

        Raises `ProviderFailed`, `ProviderTimedOut`, `ContextTooLong`, `InvalidRequest`.
        """
        pending = list(effort.routes)
        repeats: dict[str, int] = {}
        failure: ProviderFailure | None = None
        for _ in range(self._settings.attempts):
            route, key = await self._next(pending, repeats, effort)
            if route is None or key is None:
                break
            try:
                return await self._try(route, key, effort)
            except AttemptFailed as failed:
                failure = failed.failure
            if not failure.moves_on:
                break
            if failure.kind in WORTH_REPEATING:
                repeats[route.name] = repeats.get(route.name, 0) + 1
                pending.append(route)
        raise _refusal(failure or self._all_rest(effort), effort.trail)

    def ended(self, answering: Answering, trail: Trail, outcome: str) -> None:
        """An answer came to its end, or we stopped reading it: note it for health, books and receipt."""
        now = self._clock.monotonic()
        total = milliseconds(answering.started, now)
        if outcome == SERVED:
            first = answering.first_byte_ms
            self._health.succeeded(answering.route.name, first_byte_ms=first, total_ms=total, now=now)
        trail.records.append(_record(answering, outcome, total))

    def broke(self, answering: Answering, trail: Trail) -> GatewayError:
        """A stream failed after its beginning was delivered, or ended without a word; what to tell the caller."""
        now = self._clock.monotonic()
        failure = answering.answer.failure or _unsaid(answering)
        if answering.answer.finish is not None:
            trail.wasted.append(waste_of(answering, unfinished=False))
        self._health.failed(answering.route.name, failure.kind, now)
        trail.records.append(_record(answering, failure.kind, milliseconds(answering.started, now)))
        return _refusal(failure, trail)

    async def _try(self, route: Route, key: tuple[int, str], effort: Effort) -> Answering:
        effort.trail.route = route
        await effort.calling(route, effort)
        started = self._clock.monotonic()
        self._health.started(route.name, started)
        call = self._exchange.begin if effort.stream else self._exchange.whole
        try:
            return await call(route, effort.request, key=key, deadlines=self._deadlines(effort, started))
        except AttemptFailed as failed:
            self._note(failed, route, key[0], effort.trail, started)
            raise
        except asyncio.CancelledError:
            waited = milliseconds(started, self._clock.monotonic())
            provider, model = route.provider.name, route.card.model
            effort.trail.records.append(AttemptRecord(provider, model, STOPPED, None, waited))
            raise

    def _note(self, failed: AttemptFailed, route: Route, key_number: int, trail: Trail, started: float) -> None:
        now = self._clock.monotonic()
        failure, identity = failed.failure, failed.provider_request_id
        self._health.failed(route.name, failure.kind, now)
        if failure.kind in THE_KEYS_FAULT:
            route.keys.refused(key_number, route.card.model, failure, now)
        if failed.answer.finish is not None:
            trail.wasted.append(Waste(route, failed.answer, unfinished=False, provider_request_id=identity))
        total_ms = milliseconds(started, now)
        trail.records.append(
            AttemptRecord(route.provider.name, route.card.model, failure.kind, None, total_ms, identity)
        )

    async def _next(
        self, pending: list[Route], repeats: dict[str, int], effort: Effort
    ) -> tuple[Route | None, tuple[int, str] | None]:
        """The first route that need not wait, else the one with the shortest pause, waited for; none when too long."""
        patience = min(effort.deadline, self._clock.monotonic() + self._settings.longest_pause)
        while pending:
            now = self._clock.monotonic()
            pauses = [self._pause(route, repeats, now) for route in pending]
            shortest = min(pauses)
            if shortest > 0.0:
                if now + shortest > patience:
                    break
                await asyncio.sleep(shortest)
            place = pauses.index(shortest)
            key = pending[place].keys.take(pending[place].card.model, self._clock.monotonic())
            if key is not None:
                return pending.pop(place), key
        return None, None

    def _pause(self, route: Route, repeats: dict[str, int], now: float) -> float:
        wait = route.keys.wait(route.card.model, now)
        repeated = repeats.get(route.name)
        return wait if repeated is None else max(wait, self._settings.pause * 2.0 ** (repeated - 1))

    def _deadlines(self, effort: Effort, now: float) -> Deadlines:
        left = max(0.001, effort.deadline - now)
        patience = self._settings.first_byte if effort.stream else left
        return Deadlines(
            connect=min(self._settings.connect, left),
            first_byte=min(patience, left),
            idle=min(self._settings.idle, left),
            total=left,
        )

    def _all_rest(self, effort: Effort) -> ProviderFailure:
        now = self._clock.monotonic()
        waits = [route.keys.wait(route.card.model, now) for route in effort.routes]
        wait = min(waits)
        route = effort.routes[waits.index(wait)]
        refusal = route.keys.refusal(now)
        if refusal is not None:
            return ProviderFailure(route.provider.name, refusal, "The provider refuses our keys.")
        sentence = "The provider asked this gateway to wait before it sends more."
        return ProviderFailure(route.provider.name, FailureKind.RATE_LIMIT, sentence, retry_after=wait)


def _unsaid(answering: Answering) -> ProviderFailure:
    return ProviderFailure(answering.route.provider.name, FailureKind.CUT_SHORT, "The answer broke off.")


def _record(answering: Answering, outcome: str, total_ms: int) -> AttemptRecord:
    route = answering.route
    identity = answering.provider_request_id
    return AttemptRecord(route.provider.name, route.card.model, outcome, answering.first_byte_ms, total_ms, identity)


def _refusal(failure: ProviderFailure, trail: Trail) -> GatewayError:
    """What the caller is told after the last attempt."""
    if failure.kind is FailureKind.CONTEXT_TOO_LONG:
        return ContextTooLong(f"The prompt does not fit the model's context window: {_said(failure, trail)}")
    tried = ", ".join(f"{one.provider}/{one.model} ({one.outcome})" for one in trail.records)
    suffix = f" Tried: {tried}." if len(trail.records) > 1 else ""
    if failure.kind is FailureKind.TIMEOUT:
        return ProviderTimedOut(f"{failure.provider} was too slow: {_said(failure, trail)}{suffix}")
    message = f"{failure.provider} could not serve the request ({failure.kind}): {_said(failure, trail)}{suffix}"
    return ProviderFailed(message, facts={"failure": failure.kind}, retry_after=failure.retry_after)


def _said(failure: ProviderFailure, trail: Trail) -> str:
    """The provider's own words, without the key they may quote."""
    if failure.kind in OUR_OWN:
        return "the provider refused this gateway's own account; the operator must look into it."
    words = " ".join(failure.message.split())
    if trail.route is not None:
        words = trail.route.keys.without_keys(words)
    return words if len(words) <= SENTENCE else f"{words[:SENTENCE]}…"
