"""Whether a request may run, and with how much money set aside: its routes are fitted to the budget, then held."""

from datetime import timedelta

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.errors import BudgetExceeded, GatewayError, InsufficientCredit
from monkey_coder_server.domain.limits import LimitReached, Unit
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.leeway import ANY, Leeway
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.planning import Planner
from monkey_coder_server.features.inference.route import Candidate, Route
from monkey_coder_server.ports.ledger import Hold, HoldRequest, Ledger, Replay
from monkey_coder_server.ports.record import Record

LEAST_TOKENS = 256
"""A limit the caller left open is not lowered below this: a shorter answer is of no use."""
ROOM_FOR_THOUGHT = 4
"""How many times longer an open limit is for a model that reasons: its thoughts count against the limit."""
HOLD_GRACE = timedelta(minutes=10)
"""How long after its deadline an unresolved hold counts as orphaned."""
BUDGETS = 6
"""How often a request is fitted anew: to a wallet, to limits, to models with room, to what others took meanwhile."""


class Admitted(Record, frozen=True):
    """A request that runs: what it may use, best first, and the hold that covers the dearest of them."""

    plan: Plan
    routes: tuple[Route, ...]
    hold: Hold


class Admission:
    """`attempts` is how many routes one request can come to use: the hold covers each of them."""

    def __init__(self, ledger: Ledger, planner: Planner, *, attempts: int) -> None:
        self._ledger = ledger
        self._planner = planner
        self._attempts = attempts

    async def admit(self, job: Job) -> Admitted | Replay:
        """Plan and hold.

        Raises `ModelNotFound`, `ModelNotAllowed`, `PriceUnknown`, `ContextTooLong`, `InsufficientCredit`,
        `BudgetExceeded`, `IdempotencyConflict`, `RequestInProgress`, `Unavailable`.
        """
        try:
            plan = self._planner.plan(job)
            routes = within_max_cost(plan, job, self._attempts)
        except GatewayError:
            earlier = await self._earlier(job)  # what was answered once is answered again, whatever changed since
            if earlier is None:
                raise
            return earlier
        budget = job.budget
        leeway = ANY
        for _ in range(BUDGETS):
            try:
                return await self._hold(job, plan, routes)
            except (InsufficientCredit, BudgetExceeded) as short:
                narrower = leeway.after(short, routes)
                if narrower == leeway:
                    left = parse_usd(short.facts.get("available_usd", "0"))
                    budget = left if budget is None else min(budget, left)
                leeway = narrower
                routes = choose(plan, job, budget, self._attempts, leeway) or _refuse(plan, job, short)
        return await self._hold(job, plan, routes)

    async def _earlier(self, job: Job) -> Replay | None:
        key = job.idempotency
        return None if key is None else await self._ledger.earlier(job.principal.account_id, key)

    async def _hold(self, job: Job, plan: Plan, routes: tuple[Route, ...]) -> Admitted | Replay:
        request = HoldRequest(
            request_id=job.request_id,
            account_id=job.principal.account_id,
            key_id=job.principal.key_id,
            amount=max(route.bound for route in routes),
            at=job.at,
            expires_at=job.at + timedelta(seconds=job.seconds) + HOLD_GRACE,
            idempotency=job.idempotency,
            tokens=max(route.most_tokens for route in routes),
            models=tuple([route.name for route in routes]),
        )
        held = await self._ledger.hold(request)
        return held if isinstance(held, Replay) else Admitted(plan, routes, held)


def within_max_cost(plan: Plan, job: Job, most: int) -> tuple[Route, ...]:
    """The best routes, at most so many, within the caller's `max_cost` and quote. Raises `BudgetExceeded`."""
    return choose(plan, job, job.budget, most) or _refuse_max_cost(plan, job)


def choose(plan: Plan, job: Job, budget: int | None, most: int, leeway: Leeway = ANY) -> tuple[Route, ...]:
    """The best routes, at most so many, whose bound fits the budget (nano-dollars; None for any) and the leeway."""
    routes: list[Route] = []
    for candidate in plan.order:
        limit = _allowance(plan, candidate, budget)
        route = fit(plan, candidate, job, limit, tokens=leeway.tokens)
        if (limit is None or route.bound <= limit) and leeway.admits(route):
            routes.append(route)
            if len(routes) == most:
                break
    return tuple(routes)


def fit(plan: Plan, candidate: Candidate, job: Job, budget: int | None, *, tokens: int | None = None) -> Route:
    """The candidate with its limit and bound. A limit the caller left open is lowered to the budget and to `tokens`."""
    card, tariff = candidate.card, plan.tariff(candidate)
    prompt = min(_input_bound(plan, candidate, job), card.most_input_tokens)
    limit = min(_open_limit(job, candidate) if job.max_tokens is None else job.max_tokens, card.max_output_tokens)
    beside = candidate.beside
    if tokens is not None and job.max_tokens is None:
        limit = min(limit, max(tokens - prompt - beside, LEAST_TOKENS))
    bound = tariff.bound(prompt, limit + beside)
    if budget is not None and bound > budget and job.max_tokens is None:
        least = min(LEAST_TOKENS, limit)
        bound = tariff.bound(prompt, least + beside)
        if bound <= budget:
            least = tariff.affordable(budget, input_tokens=prompt, beside=beside, most=limit)
            bound = tariff.bound(prompt, least + beside)
        limit = least
    return Route(candidate, tariff, limit, bound, prompt + limit + beside)


def cheapest(plan: Plan, job: Job) -> int:
    """The least that must be set aside for the request, in nano-dollars."""
    return min(fit(plan, candidate, job, 0).bound for candidate in plan.order)


def shortest(plan: Plan, job: Job) -> int:
    """The fewest tokens that must be set aside for the request."""
    return min(fit(plan, candidate, job, None, tokens=0).most_tokens for candidate in plan.order)


def _allowance(plan: Plan, candidate: Candidate, budget: int | None) -> int | None:
    """What this candidate may come to: the budget, and under a quote what was quoted for it."""
    if plan.locked is None:
        return budget
    quoted = plan.locked.bound(candidate.name)
    return quoted if budget is None else min(budget, quoted)


def _input_bound(plan: Plan, candidate: Candidate, job: Job) -> int:
    """The most prompt tokens: tools of another dialect are left out, so nothing they find comes in."""
    if not plan.server_tools_bound:
        return plan.input_bound
    spoken = job.request.spoken
    runs = candidate.provider.dialect_for(candidate.card.model, spoken).name == spoken
    return plan.input_bound if runs else plan.input_bound - plan.server_tools_bound


def _open_limit(job: Job, candidate: Candidate) -> int:
    """The token limit of a caller who named none."""
    reasons = Capability.REASONING in candidate.card.capabilities
    return job.default_max_tokens * (ROOM_FOR_THOUGHT if reasons else 1)


def _refuse_max_cost(plan: Plan, job: Job) -> tuple[Route, ...]:
    needed, limit = usd(cheapest(plan, job)), usd(job.budget or 0)
    if job.max_cost is None or job.max_cost != job.budget:
        message = f"This request can cost {needed} USD now, more than the {limit} USD quoted; ask for a new quote."
        raise BudgetExceeded(message, facts={"limit": "quote", "limit_usd": limit, "needed_usd": needed})
    message = (
        f"This request can cost {needed} USD even on its cheapest route, more than its max_cost of {limit} USD; "
        "raise max_cost, ask for fewer tokens or choose a cheaper model."
    )
    raise BudgetExceeded(message, facts={"limit": "max_cost", "limit_usd": limit, "needed_usd": needed})


def _refuse(plan: Plan, job: Job, short: InsufficientCredit | BudgetExceeded) -> tuple[Route, ...]:
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
