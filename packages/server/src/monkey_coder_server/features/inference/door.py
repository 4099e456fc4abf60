"""One foreign dialect served: a front reads and writes, the pipeline does the rest."""

import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Protocol

from monkey_coder_server.domain.errors import GatewayError, InvalidRequest
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.features.inference.api import route_headers, settled_headers
from monkey_coder_server.features.inference.cut_short import CutShort
from monkey_coder_server.features.inference.desk import Desk, rate_headers
from monkey_coder_server.features.inference.foreign import envelope_headers, job_of
from monkey_coder_server.features.inference.guards import Guards, Knock
from monkey_coder_server.features.inference.job import Outcome, Served, Settled
from monkey_coder_server.features.inference.kept import Kept, Listener
from monkey_coder_server.features.inference.pipeline import Pipeline
from monkey_coder_server.features.inference.running import Opening, Run
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Finishing, Front, Inbound, Problem, Told
from monkey_coder_server.ports.ledger import Charge
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.problem import IN_VAIN, problem_headers, sentence, status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Headers, Response
from monkey_coder_server.web.sse import KEEP_ALIVE_SECONDS, EventStream, EventWriter

REPEATED: Headers = [(b"idempotent-replayed", b"true")]
"""With the answer of another request; the charge and the receipt are that one's."""
WATCH_SECONDS = 60.0
"""Longest sleep; new events, the end and a hang-up wake the writer at once."""
LONGEST_NAME = 64
MOST_NAMES = 32
"""Of what a caller is told was dropped."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]")
"""What shall not stand in a header."""


class Problems:
    """Errors as a dialect's own SDK expects them. `top_up_url` is where a user adds credit."""

    def __init__(self, front: Front, top_up_url: str) -> None:
        self._front = front
        self._top_up_url = top_up_url

    def __call__(self, error: GatewayError, request_id: str) -> Response:
        """The answer to a request that failed before its stream began."""
        refusal = self._front.refuse(self.problem(error, request_id))
        own = [(name.encode(), value.encode("latin-1", "replace")) for name, value in refusal.headers]
        named = {name for name, _ in own}
        ours = [*problem_headers(error), *rate_headers(error.facts)]
        headers: Headers = [*own, *((name, value) for name, value in ours if name not in named)]
        return Response(refusal.status, refusal.body, [(b"content-type", b"application/json"), *headers])

    def problem(self, error: GatewayError, request_id: str) -> Problem:
        """What there is to be told.

        What a provider finds wrong with the caller's own body is told as 400, after which every agent stops; after a
        502 they send the same again.
        """
        told = InvalidRequest(error.message) if error.facts.get("failure") in IN_VAIN else error
        return Problem(
            code=told.code,
            status=status_of(told),
            message=sentence(error, top_up_url=self._top_up_url),
            request_id=request_id,
            retry_after=error.retry_after,
            facts=error.facts,
        )


Keep = Callable[[bytes], Awaitable[None]]
"""Takes a finished answer as its caller got it."""


class Memory(Protocol):
    """What a dialect keeps of its answers, for requests that go on from them."""

    async def recall(self, request: Request, body: bytes) -> tuple[bytes, Keep | None]:
        """The body with what it refers to put in, and what takes the answer if it is to be kept.

        Raises `InvalidRequest` for a reference to nothing.
        """


class Visit(Record, frozen=True):
    """One request at a door. `headers` go with any answer, `keep` takes the answer, `kept` has it for a repeat."""

    request: Request
    inbound: Inbound
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
        self._keep_alive = keep_alive
        self._memory = memory

    async def serve(self, request: Request, *, path_model: str | None = None, stream: bool | None = None) -> Reply:
        """Answer a request, whole or as a stream, as it asks or its path says."""
        started = self._clock.monotonic()
        headers = [*await self._desk.limit(request.principal), (b"request-id", request.request_id.encode())]
        envelope = Envelope(
            headers=envelope_headers(request), query=request.query, path_model=path_model, stream=stream
        )
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
        if kept is not None:
            return await self._again(Visit(request, inbound, [*headers, *REPEATED], keep, kept), kept)
        at = self._clock.now()

        def render(served: Served, charge: Charge) -> bytes:
            return b"" if inbound.stream else self._whole(inbound, served, charge)

        job = job_of(request, inbound, endpoint=self._endpoint, at=at, started=started, render=render)
        run = self._pipeline.start(job)
        kept = None if place is None else self._guards.keep(place, knock, run)
        visit = Visit(request, inbound, headers, keep, kept)
        if inbound.stream:
            return await self._stream(visit, run)
        settled = _settled(await run.result())
        return await _reply(visit, settled, settled.body)

    async def _again(self, visit: Visit, kept: Kept) -> Reply:
        """The answer of the request this one is the repeat of: no second call, no second charge."""
        listener = Listener(kept)
        if visit.inbound.stream:
            return await self._stream(visit, listener)
        settled = _settled(await listener.result())
        return await _reply(visit, settled, self._retold(visit, kept, settled) if kept.stream else settled.body)

    def _retold(self, visit: Visit, kept: Kept, settled: Settled) -> bytes:
        """As a whole what was a stream."""
        served, source = settled.served, visit.inbound.request.source
        provider, model = served.route.provider, served.route.card.model
        dialect = provider.dialect_for(model, None if source is None else source.dialect)
        created = int(served.job.at.timestamp())
        told = Told(request_id=visit.request.request_id, created=created, provider=provider.name, model=model)
        return self._front.write(visit.inbound, told, kept.events(dialect), _bill(served, settled.charge))

    def _whole(self, inbound: Inbound, served: Served, charge: Charge) -> bytes:
        bill = _bill(served, charge)
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
            await run.result()
        inbound, headers = visit.inbound, visit.headers
        if opening is not None:
            headers = [
                *headers,
                *route_headers(opening.provider, opening.model),
                (b"x-monkey-cache", b"bypass"),
                *_dropped(opening.relayed, opening.dropped, inbound),
            ]
        body = _Stream(self._front, visit, run, self._problems, int(self._clock.now().timestamp()))
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
        self, front: Front, visit: Visit, run: Run[Outcome] | Listener, problems: Problems, created: int
    ) -> None:
        self._front = front
        self._inbound = visit.inbound
        self._run = run
        self._problems = problems
        self._request_id = visit.request.request_id
        self._created = created
        self._keep = visit.keep
        self._kept = visit.kept

    async def write(self, out: EventWriter) -> None:
        """Write everything; a caller who hangs up is noticed, and the run told so."""
        run = self._run
        out.when_gone(run.leave)
        try:
            while run.opening is None and not run.ended and not out.gone:
                await run.opened(WATCH_SECONDS)
            writer = self._writer(run.opening)
            await _send(out, writer.begin())
            while not out.gone:
                events = await run.take(WATCH_SECONDS)
                if not events and run.ended:
                    await _send(out, await self._end(writer))
                    if self._kept is not None:
                        self._kept.delivered = not out.gone
                    return
                if events:
                    await _send(out, writer.write(events))
        finally:
            run.leave()

    def _writer(self, opening: Opening | None) -> AnswerWriter:
        """The writer for the model that answers, or for the error of one that never did."""
        provider, model = ("", self._inbound.model or "") if opening is None else (opening.provider, opening.model)
        told = Told(request_id=self._request_id, created=self._created, provider=provider, model=model)
        return self._front.writer(self._inbound, told, relayed=opening is not None and opening.relayed)

    async def _end(self, writer: AnswerWriter) -> bytes:
        try:
            settled = _settled(await self._run.result())
        except CutShort as cut:
            bill = Bill(usage=cut.usage, cost=0, receipt_id=None, finish=FinishReason.LENGTH)
        except GatewayError as failed:
            return writer.fail(self._problems.problem(failed, self._request_id))
        else:
            bill = _bill(settled.served, settled.charge)
        frames = writer.end(bill)
        if self._keep is not None and isinstance(writer, Finishing):
            await self._keep(writer.finished())
        return frames


async def _reply(visit: Visit, settled: Settled, body: bytes) -> Response:
    """A whole answer."""
    if visit.keep is not None:
        await visit.keep(body)
    if visit.kept is not None:
        visit.kept.delivered = True
    dropped = _dropped(settled.served.relayed, settled.served.dropped, visit.inbound)
    headers = [(b"content-type", b"application/json"), *visit.headers, *settled_headers(settled), *dropped]
    return Response(200, body, headers)


async def _send(out: EventWriter, frames: bytes) -> None:
    if frames:
        await out.write(frames)


def _settled(outcome: Outcome) -> Settled:
    """A foreign request carries no idempotency key, so there is nothing it could be the repeat of."""
    if isinstance(outcome, Settled):
        return outcome
    message = "a foreign request was answered from a stored result"
    raise TypeError(message)


def _bill(served: Served, charge: Charge) -> Bill:
    answer = served.answer
    return Bill(
        usage=served.usage,
        cost=charge.charged,
        receipt_id=charge.receipt_id,
        finish=answer.finish or FinishReason.OTHER,
        native_finish=answer.native_finish,
        provider=served.route.provider.name,
    )


def _dropped(relayed: bool, dropped: Sequence[str], inbound: Inbound) -> Headers:  # noqa: FBT001 - two plain facts
    """What the model was not told, for callers who wonder. The names are the caller's own and may hold anything."""
    names = dict.fromkeys((*dropped, *(() if relayed else inbound.lost)))
    if not names:
        return []
    shown = (_UNSAFE.sub("?", name[:LONGEST_NAME]) for name in islice(names, MOST_NAMES))
    return [(b"x-monkey-dropped", ", ".join(shown).encode("ascii"))]
