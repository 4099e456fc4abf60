"""`POST /v1/execute` and `/v1/execute/stream`: bytes to a task, a served task to bytes."""

from collections.abc import Sequence

import msgspec

from monkey_coder_protocol.execute import ExecuteRequest
from monkey_coder_server.domain.cache_control import HEADER as CACHE_HEADER
from monkey_coder_server.features.inference.answered import (
    cache_headers,
    collapse_headers,
    route_headers,
    settled_headers,
)
from monkey_coder_server.features.inference.desk import Desk, Order
from monkey_coder_server.features.inference.job import Job, Outcome
from monkey_coder_server.features.inference.native_stream import NativeStream
from monkey_coder_server.features.inference.pipeline import Pipeline
from monkey_coder_server.features.inference.replay import replay_headers, retold_body, start_of
from monkey_coder_server.features.inference.response_cache import Question, ResponseCache
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.task import fingerprint
from monkey_coder_server.ports.ledger import Replay
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes
from monkey_coder_server.web.sse import KEEP_ALIVE_SECONDS, EventStream

request_decoder = msgspec.json.Decoder(ExecuteRequest)


class ExecuteApi:
    """`keep_alive` is how many seconds a stream may be silent; an error before that is still an HTTP error."""

    def __init__(
        self,
        desk: Desk,
        pipeline: Pipeline,
        problems: NativeProblems,
        cache: ResponseCache,
        *,
        keep_alive: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._desk = desk
        self._cache = cache
        self._pipeline = pipeline
        self._problems = problems
        self._keep_alive = keep_alive

    async def execute(self, request: Request) -> Reply:
        """The whole answer in one JSON body."""
        order = await self._order(request, stream=False)
        outcome = await self._pipeline.start(order.job).result()
        if isinstance(outcome, Replay):
            return json_bytes(outcome.body, headers=[*order.headers, *replay_headers(outcome)])
        return json_bytes(outcome.body, headers=[*order.headers, *settled_headers(outcome)])

    async def stream(self, request: Request) -> Reply:
        """The answer as it comes. Until its beginning a failure is told as an HTTP error, after it as an event."""
        order = await self._order(request, stream=True)
        run = self._pipeline.start(order.job)
        await self._begun(run)
        opening = run.opening
        headers = [*order.headers, *cache_headers(run.cache, run.age, run.similarity)]
        start = {"execution_id": order.job.request_id, "task_id": order.task_id}
        if opening is not None:
            headers += [*route_headers(opening.provider, opening.model), *collapse_headers(run.collapse)]
        elif run.ended:
            outcome = await run.result()
            if isinstance(outcome, Replay):
                headers, start = [*order.headers, *replay_headers(outcome)], start_of(outcome)
        body = NativeStream(run, start, order.job.request_id, self._problems)
        return EventStream(body.write, headers=headers, seconds=self._keep_alive)

    async def _begun(self, run: Run[Outcome]) -> None:
        try:
            await run.opened(self._keep_alive)
        except BaseException:
            run.leave()
            raise

    async def _order(self, request: Request, *, stream: bool) -> Order:
        sent = await json_body(request, request_decoder)
        order = await self._desk.take(request, sent, stream=stream)
        try:
            if order.job.rounds is not None:
                await self._desk.told(order.job.rounds)
            job = self._cached(request, sent, order)
        except BaseException:
            order.job.end_ticket()
            raise
        return order if job is order.job else msgspec.structs.replace(order, job=job)

    def _cached(self, request: Request, sent: ExecuteRequest, order: Order) -> Job:
        """The job with its part in the cache of answers, if it has one. Raises `InvalidRequest`."""

        def beside(text: str) -> Sequence[object]:
            if sent.files or sent.prompt.strip() != text:
                raise ValueError("the prompt is not all that is said")
            return (fingerprint(msgspec.structs.replace(sent, prompt="")).hex(),)

        def question() -> Question:
            return Question(
                said=(order.task.fingerprint.hex(),),
                beside=beside,
                size=len(sent.prompt) + sum(len(each.content) for each in sent.files or ()),
                retell=lambda recalled: retold_body(recalled, order.job, order.task_id),
            )

        asked = request.header("cache-control")
        return self._cache.consider(order.job, asked, request.header(CACHE_HEADER), question)
