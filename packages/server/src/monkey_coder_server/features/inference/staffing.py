"""Staffs a team: which model takes which turn, with what limit, and the most each can cost, within a budget.

Agents are the best candidates, each another where there are enough; a pinned model is all of them. Where the best
cannot be paid together, cheaper ones may be.
The turns' prompts grow by what was written before, so each is fitted for the most it can be told.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from monkey_coder_server.domain.teamwork.rooms import Room, room
from monkey_coder_server.domain.teamwork.team import Team
from monkey_coder_server.domain.teamwork.turns import Turn, stages
from monkey_coder_server.features.inference.fitting import LEAST_TOKENS, fit
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.leeway import ANY, Leeway
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.route import Candidate, Route
from monkey_coder_server.ports.record import Record

SHORTENED = (1, 2, 4)
"""An open limit of tokens is divided by these, in turn, before the team is made smaller."""
NOTES = 4
"""How many times shorter than an answer a plan or a critique is."""
RESERVE = 3
"""Further models that may be asked where no agent gives an answer, as an ordinary request would try them."""


class Seat(Record, frozen=True):
    """A turn with the model that takes it and what it can be told."""

    turn: Turn
    route: Route
    room: Room


class Crew(Record, frozen=True):
    """A team whose turns are all paid for. `reserve` answers where no agent did, if what is held still covers it."""

    team: Team
    stages: tuple[tuple[Seat, ...], ...]
    reserve: tuple[Seat, ...]

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Every turn that may be taken, in the order they are started."""
        return tuple([seat for stage in self.stages for seat in stage])

    @property
    def routes(self) -> tuple[Route, ...]:
        """The models of all turns."""
        return tuple([seat.route for seat in self.seats])


def staffed(plan: Plan, job: Job, budget: int | None, leeway: Leeway = ANY) -> Crew | None:
    """The largest team, up to the one that is asked for, all of whose turns can be paid together; None for none.

    `budget` in nano-dollars, None for any.
    """
    if job.team is None:
        return None
    for team in (job.team, *job.team.smaller()):
        turns = sum(map(len, stages(team)))
        for limited in _shortened(job):
            for share in (None,) if budget is None else (None, budget // turns):
                crew = _crew(plan, limited, team, _candidates(plan, limited, share, leeway))
                if crew is not None and _fits(crew, budget, leeway):
                    return crew
    return None


def _candidates(plan: Plan, job: Job, share: int | None, leeway: Leeway) -> list[Candidate]:
    """Those that may be asked, best first; with a `share` (nano-dollars) only those that alone cost no more.

    Under a quote they stand as they were quoted, so that every agent is the one whose price was promised.
    """
    order = list(plan.order)
    if plan.locked is not None:
        quoted = list(plan.locked.tariffs)
        order.sort(key=lambda candidate: quoted.index(candidate.name))
    return [
        candidate
        for candidate in order
        if candidate.name not in leeway.without and (share is None or fit(plan, candidate, job, None).bound <= share)
    ]


def _fits(crew: Crew, budget: int | None, leeway: Leeway) -> bool:
    routes = crew.routes
    if leeway.tokens is not None and sum(route.most_tokens for route in routes) > leeway.tokens:
        return False
    return budget is None or sum(route.bound for route in routes) <= budget


def _shortened(job: Job) -> Iterator[Job]:
    """The job with shorter and shorter answers, where the caller left their length open."""
    if job.max_tokens is not None:
        yield job
        return
    for part in SHORTENED:
        tokens = job.default_max_tokens // part
        if part == 1 or tokens >= LEAST_TOKENS:
            yield replace(job, default_max_tokens=tokens)


def _crew(plan: Plan, job: Job, team: Team, candidates: list[Candidate]) -> Crew | None:
    """The team with its models; None where there are none, or one has no room for what it must be told."""
    if not candidates:
        return None
    agents = candidates[: team.agents]
    found = []
    for stage in stages(team):
        seats = [_seat(plan, job, turn, agents[(turn.agent - 1) % len(agents)]) for turn in stage]
        whole = tuple([seat for seat in seats if seat is not None])
        if len(whole) < len(seats):
            return None
        found.append(whole)
    spare = [_seat(plan, job, stages(Team(1))[0][0], candidate) for candidate in candidates[len(agents) :][:RESERVE]]
    return Crew(team, tuple(found), tuple([seat for seat in spare if seat is not None]))


def _seat(plan: Plan, job: Job, turn: Turn, candidate: Candidate) -> Seat | None:
    answer = job.default_max_tokens if job.max_tokens is None else job.max_tokens
    note = min(answer, max(LEAST_TOKENS, answer // NOTES))
    window = candidate.card.most_input_tokens
    told = room(turn, base=plan.input_bound, window=window, answer=answer, note=note)
    if told is None:
        return None
    limited = job if turn.act.answers else _noting(job, note)
    return Seat(turn, fit(replace(plan, input_bound=told.prompt), candidate, limited, None), told)


def _noting(job: Job, tokens: int) -> Job:
    """The job with the limit of a note."""
    return replace(job, default_max_tokens=tokens) if job.max_tokens is None else replace(job, max_tokens=tokens)
