"""Takes an order: who asks, how often, for what, on which terms; the result is a job the pipeline can run."""

from collections.abc import Awaitable
from hashlib import sha256

from monkey_coder_protocol.execute import ExecuteRequest
from monkey_coder_server.domain.collapse import Collapse
from monkey_coder_server.domain.prompt_cache import HEADER as PROMPT_CACHE_HEADER
from monkey_coder_server.domain.prompt_cache import read_caching
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.features.inference.branches_asked import HEADER as COLLAPSE_HEADER
from monkey_coder_server.features.inference.branches_asked import said_collapse, wanted_collapse
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.limits import Limits, Ticket
from monkey_coder_server.features.inference.quotes import QuoteBook
from monkey_coder_server.features.inference.render import execute_body
from monkey_coder_server.features.inference.repeats import RETRY_HEADER
from monkey_coder_server.features.inference.reports import Reports
from monkey_coder_server.features.inference.rounds import Rounds
from monkey_coder_server.features.inference.rounds_asked import (
    FAILED_HEADER,
    VERIFIER_HEADER,
    RoundsAsked,
    collapse_of_rounds,
    rounds_of_headers,
)
from monkey_coder_server.features.inference.task import Task, read_task
from monkey_coder_server.features.inference.weights_asked import HEADER as WEIGHTS_HEADER
from monkey_coder_server.features.inference.weights_asked import with_header
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import IdempotencyKey
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.once import checked_key
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Headers

ENDPOINT = "execute"


class Order(Record, frozen=True):
    """A job with what its reply needs besides."""

    job: Job
    task: Task
    task_id: str
    headers: Headers


class Desk:
    """Where every request is admitted."""

    def __init__(self, limits: Limits, quotes: QuoteBook, reports: Reports, clock: Clock) -> None:
        self._limits = limits
        self._reports = reports
        self._quotes = quotes
        self._clock = clock

    async def take(self, request: Request, sent: ExecuteRequest, *, stream: bool) -> Order:
        """Raises `InvalidRequest`, `RateLimited`, and for a quote that does not hold `NotFound`.

        Whoever takes the order ends its ticket, by starting the job or else by itself.
        """
        started = self._clock.monotonic()
        ticket = await self.enter(request)
        try:
            return await self._order(request, sent, ticket, started=started, stream=stream)
        except BaseException:
            ticket.settle(0)
            raise

    async def _order(
        self, request: Request, sent: ExecuteRequest, ticket: Ticket, *, started: float, stream: bool
    ) -> Order:
        task = read_task(with_header(sent, request.header(WEIGHTS_HEADER)))
        rounds = await self.rounds(request, task.rounds, task.wishes.task_type)
        if rounds is not None:
            said = said_collapse(task.collapse, request.header(COLLAPSE_HEADER))
            collapse: Collapse | None = collapse_of_rounds(said, team=task.team is not None)
        else:
            collapse = wanted_collapse(task.collapse, request.header(COLLAPSE_HEADER), request.principal)
        if task.team is not None:
            collapse = None
        locked = None
        if task.quote_id is not None:
            locked = await self._quotes.locked(request.principal.account_id, task.quote_id, task.fingerprint)
        task_id = task.task_id or f"task_{request.request_id.removeprefix('req_')}"
        job = Job(
            request_id=request.request_id,
            principal=request.principal,
            endpoint=ENDPOINT,
            request=task.request,
            wishes=task.wishes if collapse is None or rounds is not None else task.wishes.of_several(),
            stream=stream,
            seconds=task.seconds,
            at=self._clock.now(),
            started=started,
            render=lambda served, charge: execute_body(task, task_id, served, charge),
            max_tokens=task.max_tokens,
            max_cost=_lower(task.max_cost, bounds.header_max_cost(request.header(bounds.COST_HEADER))),
            idempotency=_idempotency(request.header("idempotency-key"), task, request.header(COLLAPSE_HEADER)),
            locked=locked,
            explores=request.header(RETRY_HEADER) in {None, "0"},
            collapse=collapse,
            team=task.team,
            files={each.path: each.content for each in sent.files or ()},
            rounds=rounds,
            ticket=ticket,
            prompt_caching=read_caching(request.header(PROMPT_CACHE_HEADER)),
            under_way=request.under_way,
        )
        return Order(job, task, task_id, ticket.headers)

    async def rounds(self, request: Request, said: RoundsAsked | None, task_type: str) -> Rounds | None:
        """How far a task has come whose caller checks answers, by its body or else by headers; None for any other.

        Raises `InvalidRequest`, and `NotFound` for a request that is none of the account's.
        """
        headers = request.headers
        asked = said or rounds_of_headers(headers.get(VERIFIER_HEADER), headers.get(FAILED_HEADER))
        return None if asked is None else await self._reports.rounds(request.principal.account_id, asked, task_type)

    async def told(self, rounds: Rounds) -> None:
        """Count that answers failed their caller's check, now that another one is asked for."""
        await self._reports.failures(rounds)

    def enter(self, request: Request, *, stays: bool = True) -> Awaitable[Ticket]:
        """Take what a request takes of every limit; `stays`: it also takes a place, until it ends.

        Raises `RateLimited`.
        """
        return self._limits.enter(request.principal, request.client_ip, stays=stays)

    async def limit(self, request: Request) -> Headers:
        """Take one request that calls no model; the headers that say what is left. Raises `RateLimited`."""
        return (await self.enter(request, stays=False)).headers


def _lower(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _idempotency(header: str | None, task: Task, collapse: str | None) -> IdempotencyKey | None:
    """The caller's key: the task's own id, whatever the header says besides; else the header."""
    if header is not None:
        checked_key(header)
    if task.task_id is not None:
        return IdempotencyKey(f"task:{task.task_id}", _fingerprint(task, collapse))
    return None if header is None else IdempotencyKey(f"key:{header}", _fingerprint(task, collapse))


def _fingerprint(task: Task, collapse: str | None) -> bytes:
    """What is asked. The header that asks for several answers counts where the body says nothing of them."""
    if collapse is None or task.collapse is not None:
        return task.fingerprint
    return sha256(task.fingerprint + collapse.encode()).digest()
