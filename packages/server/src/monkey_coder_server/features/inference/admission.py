"""Whether a request may run, and with how much money set aside: its routes are fitted to the budget, then held."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from monkey_coder_server.domain.collapse import PLANNED, Collapse
from monkey_coder_server.domain.errors import BudgetExceeded, GatewayError, InsufficientCredit
from monkey_coder_server.domain.limits import LimitReached, Unit
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.domain.sequencing import Sequencing
from monkey_coder_server.features.inference.fitting import cheapest, choose, several, shortest
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.leeway import ANY, Leeway
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.planning import Planner
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.sequences import (
    WATCHED,
    Wish,
    considered,
    next_round,
    sequenced,
    strongest_first,
    sure,
)
from monkey_coder_server.features.inference.staffing import Crew, staffed
from monkey_coder_server.ports.ledger import Hold, HoldRequest, Ledger, Replay
from monkey_coder_server.ports.record import Record

HOLD_GRACE = 600.0
"""Seconds: how long after its deadline an unresolved hold counts as orphaned."""
BUDGETS = 6
"""How often a request is fitted anew: to a wallet, to limits, to models with room, to what others took meanwhile."""


class Chosen(Record, frozen=True):
    """Routes a request may come to use, best first: one of them, or with `collapse` or a `crew` all of them together.

    `sequencing` is what the router planned where that was left to it, and why it came to a single arm if it did.
    """

    routes: tuple[Route, ...]
    collapse: Collapse | None = None
    sequencing: Sequencing | None = None
    crew: Crew | None = None

    @property
    def several(self) -> bool:
        """Whether more than one may be asked for an answer."""
        return self.collapse is not None or self.crew is not None

    @property
    def bound(self) -> int:
        """The most the request can cost its account, in nano-dollars."""
        if len(self.routes) == 1:
            return self.routes[0].bound
        bounds = [route.bound for route in self.routes]
        return sum(bounds) if self.several else max(bounds)

    @property
    def most_tokens(self) -> int:
        """The most tokens it can use."""
        if len(self.routes) == 1:
            return self.routes[0].most_tokens
        tokens = [route.most_tokens for route in self.routes]
        return sum(tokens) if self.several else max(tokens)


class Admitted(Record, frozen=True):
    """A request that runs: what it may use, best first, and the hold that covers the dearest of them.

    With `collapse` or a `crew` it may use them all, and the hold covers them together. `sequencing` is what the router
    planned.
    """

    plan: Plan
    routes: tuple[Route, ...]
    hold: Hold
    collapse: Collapse | None = None
    sequencing: Sequencing | None = None
    crew: Crew | None = None
    """The agents that work together; the routes are those of their turns."""

    @property
    def several(self) -> bool:
        """Whether more than one may be asked for an answer."""
        return self.collapse is not None or self.crew is not None


class Admission:
    """`attempts` is how many routes one request can come to use: the hold covers each of them."""

    def __init__(self, ledger: Ledger, planner: Planner, *, attempts: int) -> None:
        self._ledger = ledger
        self._planner = planner
        self._attempts = attempts

    async def admit(self, job: Job) -> Admitted | Replay:
        """Plan and hold.

        Raises `ModelNotFound`, `ModelNotAllowed`, `PriceUnknown`, `ContextTooLong`, `InsufficientCredit`,
        `BudgetExceeded`, `RateLimited`, `IdempotencyConflict`, `RequestInProgress`, `Unavailable`.
        """
        try:
            plan = self._planner.plan(job)
            if plan.rates is None:
                chosen = within_max_cost(plan, job, self._attempts)
            else:
                chosen = await considered(plan, partial(within_max_cost, plan, job, self._attempts))
        except GatewayError:
            earlier = await self._earlier(job)  # what was answered once is answered again, whatever changed since
            if earlier is None:
                raise
            return earlier
        budget = job.budget
        leeway = ANY
        for _ in range(BUDGETS):
            try:
                return await self._hold(job, plan, chosen)
            except (InsufficientCredit, BudgetExceeded) as short:
                narrower = leeway.after(short, chosen.routes)
                if narrower == leeway:
                    left = parse_usd(short.facts.get("available_usd", "0"))
                    budget = left if budget is None else min(budget, left)
                leeway = narrower
                fitting: Callable[[], Chosen | None] = partial(chosen_for, plan, job, budget, self._attempts, leeway)
                fitted = await considered(plan, fitting)
                chosen = _refuse(plan, job, short) if fitted is None else fitted
        return await self._hold(job, plan, chosen)

    async def _earlier(self, job: Job) -> Replay | None:
        key = job.idempotency
        return None if key is None else await self._ledger.earlier(job.principal.account_id, key)

    async def _hold(self, job: Job, plan: Plan, chosen: Chosen) -> Admitted | Replay:
        request = HoldRequest(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            amount=chosen.bound,
            at=job.at,
            expires_at=job.at + timedelta(seconds=job.seconds + HOLD_GRACE),
            idempotency=job.idempotency,
            tokens=chosen.most_tokens,
            models=tuple([route.name for route in chosen.routes]),
        )
        if job.ticket is not None:
            await job.ticket.reserve(request.tokens, request.models)
        held = await self._ledger.hold(request)
        if isinstance(held, Replay):
            return held
        return Admitted(plan, chosen.routes, held, chosen.collapse, chosen.sequencing, chosen.crew)


def within_max_cost(plan: Plan, job: Job, most: int) -> Chosen:
    """What may be used within the caller's `max_cost` and quote. Raises `BudgetExceeded`."""
    return chosen_for(plan, job, job.budget, most) or _refuse_max_cost(plan, job)


def chosen_for(plan: Plan, job: Job, budget: int | None, most: int, leeway: Leeway = ANY) -> Chosen | None:
    """Agents or arms where they are asked for and can be paid together, else the best `most` routes; None for none."""
    crew = staffed(plan, job, budget, leeway)
    if crew is not None:
        return Chosen(crew.routes, crew=crew)
    collapse = job.collapse
    if collapse is not None and collapse.rule in PLANNED:
        return _planned(plan, job, collapse, budget, most, leeway)
    if collapse is not None and collapse.wanted_for(plan.decision.worth):
        branches = several(plan, job, collapse, budget, leeway)
        if branches:
            return Chosen(branches, collapse)
    routes = choose(plan, job, budget, most, leeway)
    return Chosen(routes) if routes else None


def _planned(  # noqa: PLR0913, PLR0917 - those of `chosen_for`, and its rule
    plan: Plan, job: Job, collapse: Collapse, budget: int | None, most: int, leeway: Leeway
) -> Chosen | None:
    """The arms of a cascade or race, or where none is worth it those of an ordinary request, and why."""
    routes = choose(plan, job, budget, most, leeway)
    if plan.rates is None or not routes:
        return Chosen(routes) if routes else None
    wish = Wish(collapse, plan.rates)
    if job.rounds is not None:
        following = next_round(plan, choose(plan, job, budget, len(plan.order), leeway), wish, job.rounds)
        return Chosen(following.routes[:most], sequencing=following.plan)
    if not collapse.wanted_for(plan.decision.worth):
        return Chosen(routes, sequencing=sure(plan, routes, wish))
    made = sequenced(plan, job, wish, budget, leeway)
    if made is None or not made.routes:
        return Chosen(routes, sequencing=None if made is None else made.plan)
    if plan.watches:
        watched = made.plan.instead(WATCHED)
        all_routes = choose(plan, job, budget, len(plan.order), leeway)
        return Chosen(strongest_first(all_routes, watched.strongest, most), sequencing=watched)
    asked = Collapse(rule=made.plan.rule, branches=len(made.routes))
    return Chosen(made.routes, asked, made.plan)


def _refuse_max_cost(plan: Plan, job: Job) -> Chosen:
    needed, limit = usd(cheapest(plan, job)), usd(job.budget or 0)
    if job.max_cost is None or job.max_cost != job.budget:
        message = f"This request can cost {needed} USD now, more than the {limit} USD quoted; ask for a new quote."
        raise BudgetExceeded(message, facts={"limit": "quote", "limit_usd": limit, "needed_usd": needed})
    message = (
        f"This request can cost {needed} USD even on its cheapest route, more than its max_cost of {limit} USD; "
        "raise max_cost, ask for fewer tokens or choose a cheaper model."
    )
    raise BudgetExceeded(message, facts={"limit": "max_cost", "limit_usd": limit, "needed_usd": needed})


def _refuse(plan: Plan, job: Job, short: InsufficientCredit | BudgetExceeded) -> Chosen:
    """Say what even the cheapest route needs; balance and limit are those the ledger named."""
    if isinstance(short, LimitReached):
        counted = short.standing.limit.unit is Unit.TOKENS
        needed = shortest(plan, job) if counted else cheapest(plan, job)
        raise LimitReached(short.standing, needed, short.at) from short
    least, left = usd(cheapest(plan, job)), short.facts.get("available_usd", "0.00")
    named = "balance" if isinstance(short, InsufficientCredit) else short.facts.get("limit", "cap").replace("_", " ")
    message = (
        f"This request needs up to {least} USD even on its cheapest route, but only {left} USD of the {named} "
        "are free; add to it, ask for fewer tokens or choose a cheaper model."
    )
    raise type(short)(message, facts={**short.facts, "needed_usd": least}) from short
