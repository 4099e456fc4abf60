"""A kept answer given to a request of its own: no provider is called, nothing is charged, all of it is in the books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.admission import HOLD_GRACE
from monkey_coder_server.features.inference.cached_answer import CachedAnswer, Recalled, status_of
from monkey_coder_server.features.inference.exchange import milliseconds
from monkey_coder_server.features.inference.job import Job, Outcome
from monkey_coder_server.features.inference.running import Opening, Run
from monkey_coder_server.features.inference.settlement import Settlements
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import AttemptRecord, HoldRequest, Ledger, Replay, Settlement

CACHED = "cached"
"""Of the one attempt a receipt of a kept answer names: it was no call."""


class Recalling:
    """The books' side of it."""

    def __init__(self, ledger: Ledger, settlements: Settlements, clock: Clock) -> None:
        self._ledger = ledger
        self._settlements = settlements
        self._clock = clock

    async def hold(self, job: Job) -> Replay | None:
        """Begin it in the books, which an account that is frozen may not; or what a repeat under its key is given.

        Raises as `Ledger.hold`.
        """
        request = HoldRequest(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            amount=0,
            at=job.at,
            expires_at=job.at + timedelta(seconds=job.seconds + HOLD_GRACE),
            idempotency=job.idempotency,
        )
        try:
            held = await self._ledger.hold(request)
        except GatewayError as refused:
            self._settlements.refused(job, refused)
            raise
        return held if isinstance(held, Replay) else None

    def begin(  # noqa: PLR0913 - what is told, named
        self,
        job: Job,
        run: Run[Outcome],
        opening: Opening,
        *,
        age: int = 0,
        rule: str = "",
        similarity: float | None = None,
    ) -> None:
        """Tell the caller where the answer is from; with a stream, that it begins."""
        run.cache, run.age, run.collapse, run.similarity = status_of(similarity), age, rule, similarity
        if job.stream:
            run.open(opening)

    async def end(self, job: Job, run: Run[Outcome], answer: CachedAnswer) -> Recalled:
        """Book it: for nothing, with what it would have cost as its saving. Raises `Unavailable`."""
        now = self._clock.now()
        settlement = Settlement(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            at=now,
            provider=answer.provider,
            model=answer.model,
            usage=Usage(),
            provider_cost=0,
            price=0,
            price_row=answer.price_row,
            price_book=answer.price_book,
            markup_basis_points=answer.markup_basis_points,
            attempts=(AttemptRecord(answer.provider, answer.model, CACHED),),
            finish_reason=answer.finish,
            stream=job.stream,
            task_type=job.wishes.task_type,
            persona=job.wishes.persona.name,
            latency_ms=milliseconds(job.started, self._clock.monotonic()),
            first_byte_ms=None,
            client_gone=run.client_gone,
            cache_saving=answer.price,
        )
        return await self._settlements.recall(job, settlement, answer, run)

    @asynccontextmanager
    async def voided_unless_done(self, job: Job) -> AsyncIterator[None]:
        """End in the books what fails after `hold` and before `end`."""
        try:
            yield
        except BaseException as stopped:
            error = stopped if isinstance(stopped, GatewayError) else Unavailable("The gateway stopped the request.")
            await self._settlements.void(job, error, Trail())
            raise
