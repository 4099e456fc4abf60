"""One request to be served, whatever wire format it came in, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from monkey_coder_server.domain.collapse import Collapse, Kept
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.prompt_cache import PromptCaching
from monkey_coder_server.domain.sequencing import Sequencing
from monkey_coder_server.domain.stream_events import Answer, Event
from monkey_coder_server.domain.teamwork.team import Team
from monkey_coder_server.domain.teamwork.turns import Turn
from monkey_coder_server.domain.usage import Usage, together
from monkey_coder_server.domain.verification.verdict import Verdict
from monkey_coder_server.features.inference.cached_answer import Recalled
from monkey_coder_server.features.inference.caching import Caching
from monkey_coder_server.features.inference.limits import Ticket
from monkey_coder_server.features.inference.plan import Plan, Wishes
from monkey_coder_server.features.inference.quotes import Promise
from monkey_coder_server.features.inference.rounds import Rounds
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.ports.ledger import AttemptRecord, Charge, IdempotencyKey, Replay
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.principal import Principal

_NO_FILES: Mapping[str, str] = MappingProxyType({})


def _untold() -> None:
    """Nobody waits to be told."""


class Job(Record, frozen=True, kw_only=True):
    """`render` writes the caller's body from what was served.

    `keep` makes of the settled answer what an idempotent replay is given, if that is not its body alone.

    `max_tokens` is None when the caller left it open: `default_max_tokens` then, or less if the wallet is short.
    `max_cost` in nano-dollars. `collapse`: several arms are to be asked, and how one answer is kept. `locked` is what a
    quote promised. `explores` False: its client sends it again, or only asks for its price; the best-ranked model is
    played. `started` in monotonic seconds.
    """

    request_id: str
    principal: Principal
    endpoint: str
    request: ModelRequest
    wishes: Wishes
    stream: bool
    seconds: float
    at: datetime
    started: float
    render: Callable[["Served", Charge], bytes]
    max_tokens: int | None = None
    default_max_tokens: int = 4096
    max_cost: int | None = None
    idempotency: IdempotencyKey | None = None
    keep: "Callable[[Settled], bytes] | None" = None
    locked: Promise | None = None
    explores: bool = True
    collapse: Collapse | None = None
    team: Team | None = None
    """Several agents are to work at it; then no arms are asked beside."""
    files: Mapping[str, str] = _NO_FILES
    """Those that came with the request, by path."""
    rounds: Rounds | None = None
    """Its caller checks the answer and asks again when it fails: then one arm is asked, whatever cascade is planned."""
    ticket: Ticket | None = None
    """What it holds of limits, given back when it ends."""
    under_way: Callable[[], None] = _untold
    """To be told that a provider is called, as often as that happens."""
    prompt_caching: PromptCaching = PromptCaching.AUTO
    """What its caller says of the caches of providers."""
    caching: Caching | None = None
    """How it takes part in the cache of answers; None: not at all."""

    def end_ticket(self) -> None:
        """Give back what it holds of limits, for a job that is not run."""
        if self.ticket is not None:
            self.ticket.settle(0)

    @property
    def budget(self) -> int | None:
        """The most the request may cost, in nano-dollars: the caller's own limit and the quote's; None for neither."""
        if self.locked is None:
            return self.max_cost
        return self.locked.maximum if self.max_cost is None else min(self.max_cost, self.locked.maximum)


class Played(Record, frozen=True, kw_only=True):
    """One arm that was asked among several: what became of it, and what of it the account pays.

    `usage` None: nothing is paid. `verdict` None: there was no whole answer to check. `turn` is what it did for a team.
    """

    route: Route
    outcome: str
    usage: Usage | None = None
    verdict: Verdict | None = None
    provider_request_id: str | None = None
    turn: Turn | None = None

    @property
    def price(self) -> int:
        """Its part of the charge, in nano-dollars."""
        return 0 if self.usage is None else self.route.tariff.price(self.usage)


class Collapsed(Record, frozen=True, kw_only=True):
    """Every arm that was asked, the one whose answer was kept first, and by which rule it was."""

    collapse: Collapse
    kept: Kept
    played: tuple[Played, ...]


class Worked(Record, frozen=True, kw_only=True):
    """What several agents did, in turns; the one whose answer was kept first.

    `team` is the one that worked, smaller than asked for where that could not be paid. `rounds` counts critiques.
    `approved`: the last found nothing. `agreement` is the share of the agents' own answers that say the same, None
    where none passed or only one was given; `agreed`: that was enough. `ended_by` says in a word why no more was done.
    """

    team: Team
    played: tuple[Played, ...]
    rounds: int
    approved: bool
    agreement: float | None
    agreed: bool
    ended_by: str


class Hedged(Record, frozen=True, kw_only=True):
    """A second arm was started beside a late one. `asked`: by the caller, who pays for both; else the house does.

    `won`: the second's answer was kept. `other` is the arm whose was not: `beaten`, or failed.
    """

    asked: bool
    won: bool
    other: Route
    beaten: bool


class Served(Record, frozen=True, kw_only=True):
    """An answer and everything that is known of how it came about.

    Where several arms were asked, the answer and its usage are those that were kept, and `collapsed` tells of all, or
    `worked` where they worked together.
    """

    job: Job
    plan: Plan
    route: Route
    answer: Answer
    usage: Usage
    attempts: tuple[AttemptRecord, ...]
    held: int
    finished_at: datetime
    latency_ms: int
    first_byte_ms: int | None
    client_gone: bool
    relayed: bool = False
    dropped: tuple[str, ...] = ()
    events: Sequence[Event] = ()
    """Of an answer that was not streamed; `body` is the same as it came."""
    body: bytes = b""
    collapsed: Collapsed | None = None
    worked: Worked | None = None
    sequencing: Sequencing | None = None
    """What the router planned where it was left to it how many arms are asked."""
    hedged: Hedged | None = None

    @property
    def played(self) -> tuple[Played, ...]:
        """Every arm that was asked, the kept one first; empty where only one model was to answer."""
        several = self.collapsed or self.worked
        return () if several is None else several.played

    @property
    def rule(self) -> str:
        """By which rule the answer was kept, `single` where one was enough; empty where several were not asked for."""
        if self.collapsed is not None:
            return self.collapsed.collapse.rule.value
        return "" if self.sequencing is None else self.sequencing.rule.value

    @property
    def total(self) -> Usage:
        """What the account pays for, all answers together."""
        if self.collapsed is None and self.worked is None:
            return self.usage
        return together(each.usage for each in self.played if each.usage is not None)


class Settled(Record, frozen=True):
    """A served request in the books: the charge and the rendered body."""

    served: Served
    charge: Charge
    body: bytes


Outcome = Settled | Recalled | Replay
