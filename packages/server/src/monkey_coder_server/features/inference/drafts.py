"""What a running request comes to if this process dies over it: noted before each call, and while an answer leaves.

Each draft costs a few microseconds whatever the answer's length: nothing is read or counted again.
"""

from collections.abc import Callable

from monkey_coder_server.domain.prompt_tokens import expected_tokens
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.domain.usage import Usage, UsageRule, complete, estimate, normalise
from monkey_coder_server.features.inference.attempt import Effort
from monkey_coder_server.features.inference.exchange import Answering, milliseconds
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.features.inference.wasted import all_but, sums, wasted_bills
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Bill, FailedRequest, Ledger, Settlement

EVERY = 0.25
"""Seconds of an answer that a crash leaves unpaid at most, and the disk's latency."""
SOON = 0.05
"""Seconds after which the first draft of a stream, written before anything was delivered, is replaced."""


class Drafts:
    """The drafts of one request, noted in the ledger. Raises `Unavailable` where the ledger does."""

    def __init__(self, flight: Flight, ledger: Ledger, clock: Clock) -> None:
        self._flight = flight
        self._ledger = ledger
        self._clock = clock
        self._next = 0.0
        self._wasted: tuple[Bill, ...] = ()
        self.beside: Callable[[Trail], tuple[Bill, ...]] = _nothing_beside
        """What other answers of the same request come to, asked for beside the one that leaves a trail."""

    def calling(self, route: Route, effort: Effort) -> None:
        """A provider is about to be called: it will bill the prompt, and nobody is charged."""
        flight, now = self._flight, self._clock.now()
        job, before = flight.job, (*wasted_bills(effort.trail, flight.job), *self.beside(effort.trail))
        own = effort.request is job.request
        prompt = flight.admitted.plan.input_expected if own else expected_tokens(effort.request)
        usage = Usage(uncached_input=prompt, estimated=True, doubts=("usage",))
        cost, owed = route.tariff.cost(usage), sums(before)
        provider = route.provider.name
        draft = FailedRequest(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            at=now,
            error_code="unavailable",
            message="The gateway stopped before it could answer; nothing was charged.",
            attempts=tuple(effort.trail.records),
            provider=provider,
            model=route.card.model,
            usage=usage,
            provider_cost=cost + sum(owed.values()),
            task_type=job.wishes.task_type,
            persona=job.wishes.persona.name,
            stream=job.stream,
            elsewhere=all_but(provider, owed),
            bills=(*before, Bill(provider, route.card.model, usage, cost)),
        )
        self._ledger.underway(flight.admitted.hold, draft)

    def begun(self, answering: Answering, meter: Meter, rule: UsageRule) -> None:
        """The first byte is about to leave: from now on what was delivered is paid for."""
        self._next = self._clock.monotonic() + SOON
        trail = self._flight.trail
        self._wasted = (*wasted_bills(trail, self._flight.job), *self.beside(trail))
        self._note(answering, meter, rule)

    def delivered(self, answering: Answering, meter: Meter, rule: UsageRule) -> None:
        """More was delivered; noted now and then."""
        now = self._clock.monotonic()
        if now >= self._next:
            self._next = now + EVERY
            self._note(answering, meter, rule)

    def _note(self, answering: Answering, meter: Meter, rule: UsageRule) -> None:
        usage = usage_so_far(answering, meter, rule, prompt=self._flight.admitted.plan.input_expected)
        self._ledger.underway(self._flight.admitted.hold, self._delivering(answering, usage))

    def _delivering(self, answering: Answering, usage: Usage) -> Settlement:
        flight, before = self._flight, self._wasted
        job, route = flight.job, answering.route
        tariff, provider = route.tariff, route.provider.name
        cost, owed = tariff.cost(usage), sums(before)
        return Settlement(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            at=self._clock.now(),
            provider=provider,
            model=route.card.model,
            usage=usage,
            provider_cost=cost + sum(owed.values()),
            price=tariff.price(usage),
            price_row=tariff.row.name,
            price_book=tariff.book,
            markup_basis_points=tariff.markup,
            attempts=tuple(flight.trail.records),
            finish_reason=FinishReason.OTHER,
            stream=True,
            task_type=job.wishes.task_type,
            persona=job.wishes.persona.name,
            latency_ms=milliseconds(job.started, self._clock.monotonic()),
            first_byte_ms=milliseconds(job.started, answering.started) + answering.first_byte_ms,
            client_gone=flight.run.client_gone,
            cache_saving=tariff.saving(usage),
            elsewhere=all_but(provider, owed),
            bills=(Bill(provider, route.card.model, usage, cost, answering.provider_request_id), *before),
        )


def usage_so_far(answering: Answering, meter: Meter, rule: UsageRule, *, prompt: int) -> Usage:
    """The provider's figures as far as it has told them, with the output as it is counted on the way."""
    reported = answering.answer.usage
    counted = estimate(input_tokens=prompt, output_bytes=meter.bytes_since_report)
    if reported is None:
        return counted
    known = complete(normalise(rule, reported), counted)
    return known._replace(
        output=max(known.output, meter.reported + counted.output),
        estimated=True,
        doubts=tuple(dict.fromkeys((*known.doubts, "output_tokens"))),
    )


def _nothing_beside(_trail: Trail) -> tuple[Bill, ...]:
    return ()
