"""The end of every request in the books: settled with its true cost, or voided; then one record for telemetry."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from msgspec.structs import replace

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.domain.usage import Usage, together
from monkey_coder_server.features.inference.cached_answer import CachedAnswer, Recalled
from monkey_coder_server.features.inference.exchange import milliseconds
from monkey_coder_server.features.inference.job import Job, Outcome, Played, Served, Settled
from monkey_coder_server.features.inference.patience import Patience, insist
from monkey_coder_server.features.inference.records import failed_record, recalled_record, served_record
from monkey_coder_server.features.inference.running import Run, Running
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.features.inference.wasted import owed_for, wasted_bills
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Bill, Charge, FailedRequest, Ledger, PaidBranch, Settlement
from monkey_coder_server.ports.provider import CancelPolicy
from monkey_coder_server.ports.telemetry import Telemetry

T = TypeVar("T")


class Settlements:
    """Resolves holds. What it starts it finishes: callers run it in a task that no client can cancel."""

    def __init__(
        self, ledger: Ledger, clock: Clock, telemetry: Telemetry, *, running: Running, patience: Patience
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._telemetry = telemetry
        self._running = running
        self._patience = patience

    def settle(self, served: Served, trail: Trail) -> Coroutine[Any, Any, Settled]:
        """Book the charge; durable on return, and to be `told` of once the answer has left.

        Raises `Unavailable` when the ledger stays away: then it is booked later, and a repeat of the request under
        the same id gets the answer.
        """
        if served.job.ticket is not None:
            served.job.ticket.used = served.total.total

        async def book() -> Settled:
            bodies: list[bytes] = []

            def remember(charge: Charge) -> bytes:
                body, keep = served.job.render(served, charge), served.job.keep
                bodies.append(body)
                return body if keep is None else keep(Settled(served, charge, body))

            charge = await self._ledger.settle(settlement_of(served, trail), remember=remember)
            body = bodies[-1] if bodies else served.job.render(served, charge)
            return Settled(served, charge, body)

        async def book_late() -> None:
            self.told(await book())

        return self._resolve(book, book_late)

    def told(self, settled: Settled) -> None:
        """Count and log what was booked."""
        self._telemetry.record(served_record(settled.served, settled.charge))

    async def recall(self, job: Job, settlement: Settlement, answer: CachedAnswer, run: Run[Outcome]) -> Recalled:
        """Book a kept answer that is given again, for nothing; durable on return. Raises `Unavailable`, as `settle`."""
        caching = job.caching
        if caching is None:
            message = f"{job.request_id} does not take part in the cache"
            raise RuntimeError(message)

        async def book() -> Recalled:
            told: list[Recalled] = []

            def remember(charge: Charge) -> bytes:
                recalled = Recalled(
                    answer=answer,
                    charge=charge,
                    age=run.age,
                    latency_ms=settlement.latency_ms,
                    similarity=run.similarity,
                )
                told.append(replace(recalled, body=caching.retell(recalled)))
                return told[-1].body if caching.keep is None else caching.keep(told[-1])

            charge = await self._ledger.settle(settlement, remember=remember)
            self._telemetry.record(recalled_record(job, settlement))
            if not told:
                remember(charge)
            return told[-1]

        return await self._resolve(book)

    async def void(self, job: Job, error: GatewayError, trail: Trail) -> None:
        """Release the hold of a request nobody is charged for; durable on return. Raises `Unavailable`, as `settle`."""
        failed = self.unpaid(job, error, trail)

        async def release() -> None:
            await self._ledger.void(failed)
            self._telemetry.record(failed_record(job, failed))

        await self._resolve(release)

    async def bear(self, failed: FailedRequest) -> None:
        """End what the house pays itself; durable on return. Raises `Unavailable`, as `settle`."""
        await self._resolve(lambda: self._ledger.void(failed))

    def refused(self, job: Job, error: GatewayError) -> None:
        """Note a request that was turned away before anything was held."""
        self._telemetry.record(failed_record(job, self.unpaid(job, error, Trail())))

    async def _resolve(self, act: Callable[[], Awaitable[T]], late: Callable[[], Awaitable[object]] | None = None) -> T:
        """Do it now; when the ledger stays away, or we are stopped, go on behind the caller's back and say so.

        What is done `late` is the same, with what its caller would do of what comes of it.
        """
        try:
            return await insist(act, self._patience)
        except (Unavailable, asyncio.CancelledError):
            self._running.keep(insist(late or act, self._patience, for_ever=True))
            raise

    def unpaid(self, job: Job, error: GatewayError, trail: Trail) -> FailedRequest:
        """What a request comes to that nobody is charged for."""
        route, wasted = trail.route, wasted_bills(trail, job)
        provider = None if route is None else route.provider.name
        owed, elsewhere = owed_for(wasted, provider)
        return FailedRequest(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            at=self._clock.now(),
            error_code=error.code,
            message=error.message,
            attempts=tuple(trail.records),
            provider=provider,
            model=None if route is None else route.card.model,
            usage=wasted[-1].usage if wasted else Usage(),
            provider_cost=owed,
            task_type=job.wishes.task_type,
            persona=job.wishes.persona.name,
            stream=job.stream,
            latency_ms=milliseconds(job.started, self._clock.monotonic()),
            elsewhere=elsewhere,
            bills=wasted,
        )


def settlement_of(served: Served, trail: Trail) -> Settlement:
    """What is booked for an answer; for each of several, where several arms were asked."""
    settlement = _of_one(served, trail)
    return _of_several(settlement, served.played) if served.played else settlement


def _of_several(settlement: Settlement, played: tuple[Played, ...]) -> Settlement:
    """The settlement of the answer that was kept, with what the others came to."""
    paid = [(each, each.usage) for each in played if each.usage is not None]
    branches = tuple([_branch(each, usage, kept=place == 0) for place, (each, usage) in enumerate(paid)])
    bills = (*(_bill(each, usage) for each, usage in paid), *settlement.bills[1:])
    owed, elsewhere = owed_for(bills, settlement.provider)
    return replace(
        settlement,
        usage=together(branch.usage for branch in branches),
        provider_cost=owed,
        price=sum(branch.price for branch in branches),
        cache_saving=sum(each.route.tariff.saving(usage) for each, usage in paid),
        elsewhere=elsewhere,
        bills=bills,
        branches=branches,
    )


def _branch(played: Played, usage: Usage, *, kept: bool) -> PaidBranch:
    tariff, turn = played.route.tariff, played.turn
    return PaidBranch(
        provider=played.route.provider.name,
        model=played.route.card.model,
        usage=usage,
        price=played.price,
        price_row=tariff.row.name,
        price_book=tariff.book,
        markup_basis_points=tariff.markup,
        kept=kept,
        agent=0 if turn is None else turn.agent,
        role="" if turn is None else turn.act.value,
    )


def _bill(played: Played, usage: Usage) -> Bill:
    route = played.route
    return Bill(route.provider.name, route.card.model, usage, route.tariff.cost(usage), played.provider_request_id)


def _of_one(served: Served, trail: Trail) -> Settlement:
    job, route, usage, tariff = served.job, served.route, served.usage, served.route.tariff
    provider, wasted = route.provider.name, wasted_bills(trail, job)
    (cost, price), (owed, elsewhere) = tariff.cost_and_price(usage), owed_for(wasted, provider)
    identity = served.attempts[-1].provider_request_id if served.attempts else None
    return Settlement(
        request_id=job.request_id,
        account_id=job.principal.account_id,
        key_id=job.principal.key_id,
        at=served.finished_at,
        provider=provider,
        model=route.card.model,
        usage=usage,
        provider_cost=cost + owed,
        price=price,
        price_row=tariff.row.name,
        price_book=tariff.book,
        markup_basis_points=tariff.markup,
        attempts=served.attempts,
        finish_reason=served.answer.finish or FinishReason.OTHER,
        stream=job.stream,
        task_type=job.wishes.task_type,
        persona=job.wishes.persona.name,
        latency_ms=served.latency_ms,
        first_byte_ms=served.first_byte_ms,
        client_gone=served.client_gone,
        cancel_policy=_cancel_policy(served) if served.client_gone else None,
        cache_saving=tariff.saving(usage),
        elsewhere=elsewhere,
        bills=(Bill(provider, route.card.model, usage, cost, identity), *wasted),
    )


def _cancel_policy(served: Served) -> CancelPolicy:
    """What became of the provider's stream once its caller had gone."""
    policy = served.route.provider.cancel_policy
    given_up = served.answer.finish is None and policy is not CancelPolicy.CANCEL
    return CancelPolicy.ESTIMATE if given_up else policy
