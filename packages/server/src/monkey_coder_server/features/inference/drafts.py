"""What a running request comes to if this process dies over it: noted before each call, and while an answer leaves.

Each draft costs some 50 microseconds whatever the answer's length: nothing is read or counted again. It is looked
four times a second which streams need one, so that a piece of an answer costs next to nothing and drafts share commits.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.prompt_tokens import expected_tokens
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.domain.usage import Usage, UsageRule, complete, estimate, normalise
from monkey_coder_server.features.inference.attempt import Effort
from monkey_coder_server.features.inference.exchange import Answering, milliseconds
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.features.inference.wasted import owed_for, wasted_bills
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Bill, FailedRequest, Ledger, Settlement

EVERY = 0.25
"""Seconds of an answer that a crash leaves unpaid, and the disk's latency, where they are worth more than `STAKE`."""
STAKE = NANO_PER_USD // 1_000
"""Nano-dollars that a crash may leave unpaid of each stream besides."""
LONGEST = 2.0
"""Seconds after which what was delivered is noted however little it is."""
LOOKED_AT_ONCE = 16
"""About a millisecond of work where all of them are noted; then other tasks of the loop get theirs."""


class Stream(Protocol):
    """What rounds look at."""

    def look(self) -> None:
        """Note what was delivered, if that is worth it; then it has left."""


class Rounds:
    """Looks at all streams of a process of which more was delivered, every `EVERY` seconds while there are any."""

    def __init__(self) -> None:
        self._streams: dict[Stream, None] = {}
        self._turn: list[Stream] = []
        self._timed = False

    def join(self, stream: Stream) -> None:
        """More of a stream was delivered than is noted."""
        self._streams[stream] = None
        if not self._timed:
            self._timed = True
            asyncio.get_running_loop().call_later(EVERY, self._begin)

    def leave(self, stream: Stream) -> None:
        """All that was delivered is noted, or the stream is over."""
        self._streams.pop(stream, None)

    def _begin(self) -> None:
        self._turn = list(self._streams)
        self._go_on()

    def _go_on(self) -> None:
        now, self._turn = self._turn[:LOOKED_AT_ONCE], self._turn[LOOKED_AT_ONCE:]
        for stream in now:
            if stream in self._streams:
                stream.look()
        loop = asyncio.get_running_loop()
        if self._turn:
            loop.call_soon(self._go_on)
        elif self._streams:
            loop.call_later(EVERY, self._begin)
        else:
            self._timed = False


class Drafts:
    """The drafts of one request, noted in the ledger. Raises `Unavailable` where the ledger does."""

    def __init__(self, flight: Flight, ledger: Ledger, clock: Clock, rounds: Rounds) -> None:
        self._flight = flight
        self._ledger = ledger
        self._clock = clock
        self._rounds = rounds
        self._stream: tuple[Answering, Meter, UsageRule] | None = None
        self._waits = False
        self._refused: Exception | None = None
        self._noted_price = 0
        self._latest = 0.0
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
        cost, provider = route.tariff.cost(usage), route.provider.name
        owed, elsewhere = owed_for(before, provider)
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
            provider_cost=cost + owed,
            task_type=job.wishes.task_type,
            persona=job.wishes.persona.name,
            stream=job.stream,
            elsewhere=elsewhere,
            bills=(*before, Bill(provider, route.card.model, usage, cost)),
        )
        self._ledger.underway(flight.admitted.hold, draft)

    def begun(self, answering: Answering, meter: Meter, rule: UsageRule) -> None:
        """The first byte is about to leave: from now on what was delivered is paid for."""
        trail = self._flight.trail
        self._wasted = (*wasted_bills(trail, self._flight.job), *self.beside(trail))
        self._stream = answering, meter, rule
        self._note(answering, self._usage(answering, meter, rule))

    def delivered(self) -> None:
        """More was delivered; noted by a round that finds it worth it."""
        if self._refused is not None:
            raise self._refused
        if not self._waits:
            self._waits = True
            self._rounds.join(self)

    def look(self) -> None:
        """Note what was delivered, unless it is worth too little so far; the first time in any case."""
        if self._stream is not None:
            try:
                self._note_if_worth_it(*self._stream)
            except Exception as refused:  # noqa: BLE001 - raised where the stream goes on
                self._refused = refused
                self._rounds.leave(self)

    def over(self) -> None:
        """The answer is: its ending is noted in place of drafts."""
        self._stream = None
        self._rounds.leave(self)

    def _note_if_worth_it(self, answering: Answering, meter: Meter, rule: UsageRule) -> None:
        usage, now = self._usage(answering, meter, rule), self._clock.monotonic()
        price = answering.route.tariff.price(usage)
        if now >= self._latest or price - self._noted_price >= STAKE:
            self._noted_price, self._latest = price, now + LONGEST
            self._waits = False
            self._rounds.leave(self)
            self._note(answering, usage)

    def _usage(self, answering: Answering, meter: Meter, rule: UsageRule) -> Usage:
        return usage_so_far(answering, meter, rule, prompt=self._flight.admitted.plan.input_expected)

    def _note(self, answering: Answering, usage: Usage) -> None:
        self._ledger.underway(self._flight.admitted.hold, self._delivering(answering, usage))

    def _delivering(self, answering: Answering, usage: Usage) -> Settlement:
        flight, before = self._flight, self._wasted
        job, route = flight.job, answering.route
        tariff, provider = route.tariff, route.provider.name
        (cost, price), (owed, elsewhere) = tariff.cost_and_price(usage), owed_for(before, provider)
        return Settlement(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            at=self._clock.now(),
            provider=provider,
            model=route.card.model,
            usage=usage,
            provider_cost=cost + owed,
            price=price,
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
            elsewhere=elsewhere,
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
