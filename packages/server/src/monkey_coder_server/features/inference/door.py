"""One foreign dialect served: a front reads and writes, the pipeline does the rest."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import msgspec

from monkey_coder_server.domain.cache_control import HEADER as CACHE_HEADER
from monkey_coder_server.domain.canonical_json import canonical_beside, canonical_text
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.errors import GatewayError, IdempotencyConflict, Unavailable
from monkey_coder_server.domain.stream_events import Event, FinishReason
from monkey_coder_server.features.inference.answered import (
    bill_of,
    cache_headers,
    collapse_headers,
    dropped_headers,
    dropped_of,
    route_headers,
    served_bill,
    settled_headers,
)
from monkey_coder_server.features.inference.cached_answer import Recalled
from monkey_coder_server.features.inference.cut_short import CutShort
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.first_answers import (
    Recorder,
    kept_whole,
    key_of,
    told_again,
)
from monkey_coder_server.features.inference.foreign import job_of
from monkey_coder_server.features.inference.guards import Guards, Knock
from monkey_coder_server.features.inference.job import Outcome, Served, Settled
from monkey_coder_server.features.inference.kept import Kept, Listener
from monkey_coder_server.features.inference.limits import Ticket
from monkey_coder_server.features.inference.pipeline import Pipeline
from monkey_coder_server.features.inference.problems import Problems
from monkey_coder_server.features.inference.response_cache import Question, ResponseCache
from monkey_coder_server.features.inference.running import Opening, Run
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Finishing, Front, Inbound, Told
from monkey_coder_server.ports.ledger import Charge, Replay
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.once import HEADER, REPLAYED
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Headers, Response
from monkey_coder_server.web.sse import KEEP_ALIVE_SECONDS, EventStream, EventWriter

WATCH_SECONDS = 60.0
"""Longest sleep; new events, the end and a hang-up wake the writer at once."""
_JSON = (b"content-type", b"application/json")

Keep = Callable[[bytes], Awaitable[None]]
"""Takes a finished answer as its caller got it."""


class Memory(Protocol):
    """What a dialect keeps of its answers, for requests that go on from them."""

    async def recall(self, request: Request, body: bytes) -> tuple[bytes, Keep | None]:
        """The body with what it refers to put in, and what takes the answer if it is to be kept.

        Raises `InvalidRequest` for a reference to nothing.
        """


class Visit(Record, frozen=True):
    """One request at a door, at `at` (Unix seconds).

    `headers` go with any answer, `keep` takes the answer, `kept` has it for a repeat.
    """

    request: Request
    inbound: Inbound
    at: int
    headers: Headers
    keep: Keep | None
    kept: Kept | None


class Door:
    """Serves one endpoint of a dialect. `keep_alive` is how many seconds a stream may be silent."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators, named
        self,
        front: Front,
        desk: Desk,
        pipeline: Pipeline,
        clock: Clock,
        problems: Problems,
        guards: Guards,
        cache: ResponseCache,
        *,
        endpoint: str,
        keep_alive: float = KEEP_ALIVE_SECONDS,
        memory: Memory | None = None,
    ) -> None:
        self._front = front
        self._desk = desk
        self._pipeline = pipeline
        self._clock = clock
        self._endpoint = endpoint
        self._problems = problems
        self._guards = guards
        self._cache = cache
        self._keep_alive = keep_alive
        self._memory = memory

    async def serve(self, request: Request, *, path_model: str | None = None, stream: bool | None = None) -> Reply:
        """Answer a request, whole or as a stream, as it asks or its path says."""
        ticket = await self._desk.enter(request)
        try:
            return await self._admitted(request, ticket, path_model=path_model, stream=stream)
        finally:
            if not ticket.running:
                ticket.settle(0)

    async def _admitted(
        self, request: Request, ticket: Ticket, *, path_model: str | None, stream: bool | None
    ) -> Reply:
        started = self._clock.monotonic()
        told = request.headers
        headers = [*ticket.headers, (b"request-id", request.request_id.encode())]
        envelope = Envelope(headers=told, query=request.query, path_model=path_model, stream=stream)
        sent = await request.body()
        body, keep = (sent, None) if self._memory is None else await self._memory.recall(request, sent)
        inbound = self._front.read(body, envelope)
        knock = Knock(
            key_id=request.principal.key_id,
            dialect=self._front.name,
            endpoint=self._endpoint,
            envelope=envelope,
            inbound=inbound,
            body=sent,
        )
        place = self._guards.place(knock)
        kept = None if place is None else self._guards.find(place, knock)
        at = self._clock.now()
        seconds = int(at.timestamp())
        if kept is not None:
            return await self._again(Visit(request, inbound, seconds, [*headers, REPLAYED], keep, kept), kept)
        key = key_of(told.get(HEADER), envelope, sent, endpoint=self._endpoint)
        visit = Visit(request, inbound, seconds, headers, keep, None)
        rounds = None if inbound.kind is not Kind.CHAT else await self._desk.rounds(request, None, inbound.kind)
        if rounds is not None:
            await self._desk.told(rounds)
        recorder = None if key is None or not inbound.stream else Recorder(partial(self._writer, visit))
        repeatable = None if key is None else partial(self._kept, inbound, recorder)

        def render(served: Served, charge: Charge) -> bytes:
            return b"" if inbound.stream else self._whole(inbound, served, charge)

        job = job_of(
            request,
            inbound,
            endpoint=self._endpoint,
            at=at,
            started=started,
            render=render,
            idempotency=key,
            keep=repeatable,
            rounds=rounds,
            ticket=ticket,
        )
        job = self._cache.consider(
            job,
            told.get("cache-control"),
            told.get(CACHE_HEADER),
            partial(self._question, visit, body, envelope, repeatable),
        )
        run = self._pipeline.start(job)
        if recorder is not None:
            run.echo(recorder)
        kept = None if place is None else self._guards.keep(place, knock, run)
        if kept is not None:
            visit = msgspec.structs.replace(visit, kept=kept)
        return await self._answer(visit, run)

    def _question(
        self, visit: Visit, body: bytes, envelope: Envelope, keep: Callable[[Recalled], bytes] | None
    ) -> Question:
        """What the cache must know of the request. Raises `ValueError` for a body that has no one meaning."""
        inbound = visit.inbound
        around = (self._front.name, envelope.path_model, envelope.query.get("alt"))
        return Question(
            said=(*around, canonical_text(body)),
            beside=lambda text: (*around, canonical_beside(body, text)),
            size=len(body),
            retell=lambda recalled: b"" if inbound.stream else self._recalled(visit, recalled),
            keep=keep,
            barred=visit.keep is not None,
        )

    async def _answer(self, visit: Visit, run: Run[Outcome]) -> Reply:
        if visit.inbound.stream:
            return await self._stream(visit, run)
        outcome = await run.result()
        if isinstance(outcome, Replay):
            return told_again(outcome, visit.headers)
        return await _reply(visit, outcome, outcome.body)

    def _kept(self, inbound: Inbound, recorder: Recorder | None, settled: Settled | Recalled) -> bytes:
        """The answer as its repeats are given it."""
        headers = [*settled_headers(settled), *dropped_of(settled, inbound)]
        if recorder is None:
            return kept_whole([_JSON, *headers], settled.body)
        kind = (b"content-type", self._front.content_type(inbound))
        return recorder.finish([kind, *headers], bill_of(settled))

    def _writer(self, visit: Visit, opening: Opening | None) -> AnswerWriter:
        """The writer for the model that answers, or for the error of one that never did."""
        provider, model = ("", visit.inbound.model or "") if opening is None else (opening.provider, opening.model)
        told = Told(request_id=visit.request.request_id, created=visit.at, provider=provider, model=model)
        return self._front.writer(visit.inbound, told, relayed=opening is not None and opening.relayed)

    async def _again(self, visit: Visit, kept: Kept) -> Reply:
        """The answer of the request this one is the repeat of: no second call, no second charge."""
        listener = Listener(kept)
        if visit.inbound.stream:
            return await self._stream(visit, listener)
        settled = await listener.result()
        if isinstance(settled, Replay):
            return told_again(settled, visit.headers)
        return await _reply(visit, settled, self._retold(visit, kept, settled) if kept.stream else settled.body)

    def _retold(self, visit: Visit, kept: Kept, settled: Settled | Recalled) -> bytes:
        """As a whole what was a stream. Raises `Unavailable` for one from the cache, where it is found again."""
        if isinstance(settled, Recalled):
            raise Unavailable("The answer is on its way as a stream; ask again.", retry_after=1.0)
        served, source = settled.served, visit.inbound.request.source
        provider, model = served.route.provider, served.route.card.model
        dialect = provider.dialect_for(model, None if source is None else source.dialect)
        created = int(served.job.at.timestamp())
        told = Told(request_id=visit.request.request_id, created=created, provider=provider.name, model=model)
        return self._front.write(visit.inbound, told, kept.events(dialect), bill_of(settled))

    def _recalled(self, visit: Visit, recalled: Recalled) -> bytes:
        """As a whole what was one, with the ids and the cost of this request."""
        answer = recalled.answer
        if answer.relayed:
            return self._front.relay(visit.inbound, answer.body, bill_of(recalled))
        told = Told(request_id=visit.request.request_id, created=visit.at, provider=answer.provider, model=answer.model)
        return self._front.write(visit.inbound, told, answer.events, bill_of(recalled))

    def _whole(self, inbound: Inbound, served: Served, charge: Charge) -> bytes:
        bill = served_bill(served, charge)
        if served.relayed:
            return self._front.relay(inbound, served.body, bill)
        told = Told(
            request_id=served.job.request_id,
            created=int(served.job.at.timestamp()),
            provider=served.route.provider.name,
            model=served.route.card.model,
        )
        return self._front.write(inbound, told, served.events, bill)

    async def _stream(self, visit: Visit, run: Run[Outcome] | Listener) -> Reply:
        """Until the answer begins, or the caller has waited long, a failure is told as an HTTP error."""
        try:
            opening = await run.opened(self._keep_alive)
        except BaseException:
            run.leave()
            raise
        if opening is None and run.ended:
            outcome = await run.result()
            if isinstance(outcome, Replay):
                return told_again(outcome, visit.headers)
        inbound, headers = visit.inbound, visit.headers
        if opening is not None:
            headers = [
                *headers,
                *route_headers(opening.provider, opening.model),
                *collapse_headers(run.collapse),
                *cache_headers(run.cache, run.age, run.similarity),
                *dropped_headers(opening.relayed, opening.dropped, inbound),
            ]
        body = _Stream(visit, run, self._problems, self._writer)
        return EventStream(
            body.write,
            headers=headers,
            keep_alive=self._front.keep_alive,
            seconds=self._keep_alive,
            content_type=self._front.content_type(inbound),
        )


class _Stream:
    """Writes one run in the caller's dialect. Its last frames leave when the charge is on disk."""

    def __init__(
        self,
        visit: Visit,
        run: Run[Outcome] | Listener,
        problems: Problems,
        writer: Callable[[Visit, Opening | None], AnswerWriter],
    ) -> None:
        self._visit = visit
        self._run = run
        self._problems = problems
        self._writer = writer

    async def write(self, out: EventWriter) -> None:
        """Write everything; a caller who hangs up is noticed, and the run told so."""
        run = self._run
        out.when_gone(run.leave)

        def straight(events: Sequence[Event]) -> bool:
            if not out.free:
                return False
            if frames := writer.write(events):
                out.write_now(frames)
            return True

        try:
            while run.opening is None and not run.ended and not out.gone:
                await run.opened(WATCH_SECONDS)
            if run.opening is None and (again := await self._again()) is not None:
                await _send(out, again)
                return
            writer = self._writer(self._visit, run.opening)
            await _send(out, writer.begin())
            while not out.gone:
                events = await run.take(WATCH_SECONDS, straight)
                if not events and run.ended:
                    await _send(out, await self._end(writer))
                    if self._visit.kept is not None:
                        self._visit.kept.delivered = not out.gone
                    return
                if events:
                    await _send(out, writer.write(events))
        finally:
            run.leave()

    async def _again(self) -> bytes | None:
        """The first answer, for a repeat that had to wait for it so long that its own stream had begun."""
        if not self._run.ended:
            return None
        with suppress(GatewayError):
            outcome = await self._run.result()
            if isinstance(outcome, Replay):
                return told_again(outcome, []).body
        return None

    async def _end(self, writer: AnswerWriter) -> bytes:
        try:
            settled = _settled(await self._run.result())
        except CutShort as cut:
            bill = Bill(usage=cut.usage, cost=0, receipt_id=None, finish=FinishReason.LENGTH)
        except GatewayError as failed:
            return writer.fail(self._problems.problem(failed, self._visit.request.request_id))
        else:
            bill = bill_of(settled)
        frames = writer.end(bill)
        if self._visit.keep is not None and isinstance(writer, Finishing):
            await self._visit.keep(writer.finished())
        return frames


async def _reply(visit: Visit, settled: Settled | Recalled, body: bytes) -> Response:
    """A whole answer."""
    if visit.keep is not None:
        await visit.keep(body)
    if visit.kept is not None:
        visit.kept.delivered = True
    headers = [_JSON, *visit.headers, *settled_headers(settled), *dropped_of(settled, visit.inbound)]
    return Response(200, body, headers)


async def _send(out: EventWriter, frames: bytes) -> None:
    if frames:
        await out.write(frames)


def _settled(outcome: Outcome) -> Settled | Recalled:
    """Of an answer that has begun. Raises `IdempotencyConflict` when there is none to go on with."""
    if isinstance(outcome, Replay):
        raise IdempotencyConflict("The first answer under this idempotency key is not kept; ask under another key.")
    return outcome
