"""A request of a foreign dialect as a job: the same admission, routes and books as a native task."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from monkey_coder_server.domain import personas
from monkey_coder_server.domain.catalog import Capability, Kind
from monkey_coder_server.domain.collapse import Collapse
from monkey_coder_server.domain.conversation import Document, Image, Part, Text, ToolResult
from monkey_coder_server.domain.prompt_cache import HEADER as PROMPT_CACHE_HEADER
from monkey_coder_server.domain.prompt_cache import PromptCaching, read_caching
from monkey_coder_server.domain.weights import Weights
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.features.inference.branches_asked import HEADER, said_collapse, wanted_collapse
from monkey_coder_server.features.inference.job import Job, Served, Settled
from monkey_coder_server.features.inference.limits import Ticket
from monkey_coder_server.features.inference.plan import Wishes
from monkey_coder_server.features.inference.repeats import RETRY_HEADER
from monkey_coder_server.features.inference.rounds import Rounds
from monkey_coder_server.features.inference.rounds_asked import collapse_of_rounds
from monkey_coder_server.features.inference.weights_asked import HEADER as WEIGHTS_HEADER
from monkey_coder_server.features.inference.weights_asked import header_weights
from monkey_coder_server.ports.front import Inbound
from monkey_coder_server.ports.ledger import Charge, IdempotencyKey
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.request import Request

SECONDS = 600.0
"""The deadline of a caller who names none: what the official SDKs wait."""
OPEN_LIMIT = 16_384
"""Tokens of an answer whose caller set no limit; a model that reasons may use four times as many."""
NOTHING: frozenset[Capability] = frozenset()
PERSONA = personas.choose(None, task_type=Kind.CHAT).persona
"""Gives the routing weights alone: a foreign request is sent on with no words of ours."""


class Terms(Record, frozen=True, kw_only=True):
    """What a caller says by headers of ours; most say nothing."""

    weights: Weights | None = None
    collapse: Collapse | None = None
    max_cost: int | None = None
    prompt_caching: PromptCaching = PromptCaching.AUTO


_NO_TERMS = Terms()
_TERMS = (WEIGHTS_HEADER, HEADER, bounds.COST_HEADER, PROMPT_CACHE_HEADER)


def job_of(  # noqa: PLR0913 - what a job is made of, all but the first two named
    request: Request,
    inbound: Inbound,
    *,
    endpoint: str,
    at: datetime,
    started: float,
    render: Callable[[Served, Charge], bytes],
    idempotency: IdempotencyKey | None,
    keep: Callable[[Settled], bytes] | None,
    ticket: Ticket,
    rounds: Rounds | None = None,
) -> Job:
    """The job. Raises `InvalidRequest` for a header of ours that says nonsense."""
    headers = request.headers
    timeout = headers.get("x-stainless-timeout")
    terms = _NO_TERMS if headers.keys().isdisjoint(_TERMS) else _terms(headers)
    wishes = Wishes(
        model=inbound.model,
        task_type=inbound.kind,
        persona=PERSONA,
        required=required(inbound),
        kind=inbound.kind,
        weights=terms.weights,
    )
    if rounds is None:
        collapse = wanted_collapse(terms.collapse, None, request.principal)
    else:
        collapse = collapse_of_rounds(terms.collapse, team=False)
    if inbound.kind is not Kind.CHAT:
        collapse = None  # one model has these vectors or verdicts; there is nothing to choose among
    return Job(
        request_id=request.request_id,
        ticket=ticket,
        principal=request.principal,
        endpoint=endpoint,
        request=inbound.request,
        wishes=wishes if collapse is None or rounds is not None else wishes.of_several(),
        stream=inbound.stream,
        seconds=SECONDS if timeout is None else _seconds(timeout),
        at=at,
        started=started,
        render=render,
        max_tokens=inbound.request.sampling.max_tokens,
        default_max_tokens=OPEN_LIMIT,
        max_cost=terms.max_cost,
        idempotency=idempotency,
        keep=keep,
        explores=headers.get(RETRY_HEADER) in {None, "0"},
        collapse=collapse,
        rounds=rounds,
        prompt_caching=terms.prompt_caching,
        under_way=request.under_way,
    )


def _terms(headers: Mapping[str, str]) -> Terms:
    return Terms(
        weights=header_weights(headers.get(WEIGHTS_HEADER)),
        collapse=said_collapse(None, headers.get(HEADER)),
        max_cost=bounds.header_max_cost(headers.get(bounds.COST_HEADER)),
        prompt_caching=read_caching(headers.get(PROMPT_CACHE_HEADER)),
    )


def required(inbound: Inbound) -> frozenset[Capability]:
    """What a model one talks with must be able to do to serve the request at all."""
    request = inbound.request
    if inbound.kind is not Kind.CHAT:
        return NOTHING
    needed = set()
    if request.tools and any(tool.server is None for tool in request.tools):
        needed.add(Capability.TOOLS)
    for message in request.messages:
        for part in message.parts:
            if type(part) is not Text:
                needed.update(_needed(part))
    return frozenset(needed) if needed else NOTHING


def _needed(part: Part) -> Iterator[Capability]:
    """What a part asks of a model, with what is in it."""
    if isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _needed(inner)
    elif isinstance(part, Image):
        yield Capability.VISION
    elif isinstance(part, Document) and part.text is None:
        yield Capability.DOCUMENTS


def _seconds(header: str) -> float:
    """What an official SDK says it will wait; nonsense counts as nothing said."""
    try:
        wanted = float(header)
    except ValueError:
        wanted = SECONDS
    return wanted if 1.0 <= wanted <= bounds.LONGEST_SECONDS else SECONDS
