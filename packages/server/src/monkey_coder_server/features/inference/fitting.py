"""Routes fitted to a request: each candidate with its token limit and the most it can cost, within a budget."""

from msgspec.structs import replace

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.collapse import Collapse, Rule
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.leeway import ANY, Leeway
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.route import Candidate, Route

LEAST_TOKENS = 256
"""A limit the caller left open is not lowered below this: a shorter answer is of no use."""
ROOM_FOR_THOUGHT = 4
"""How many times longer an open limit is for a model that reasons: its thoughts count against the limit."""


def several(plan: Plan, job: Job, collapse: Collapse, budget: int | None, leeway: Leeway = ANY) -> tuple[Route, ...]:
    """The arms of a request that asks for several, as many as can be paid together; empty for fewer than two.

    Where the caller's choice leaves a single model, it is asked several times.
    """
    for count in range(collapse.branches, 1, -1):
        room = leeway if leeway.tokens is None else replace(leeway, tokens=leeway.tokens // count)
        for share in (None,) if budget is None else (budget, budget // count):
            routes = choose(plan, job, share, count, room)
            if len(plan.order) == 1:
                routes *= count
            if len(routes) == count and (budget is None or sum(route.bound for route in routes) <= budget):
                return _in_turn(plan, routes, collapse.rule)
    return ()


def _in_turn(plan: Plan, routes: tuple[Route, ...], rule: Rule) -> tuple[Route, ...]:
    """In the order they are asked: the cheapest first where the cheapest answer that passes is wanted."""
    if rule is not Rule.CHEAPEST_VALID:
        return routes
    costs = {each.name: each.expected.cost for each in plan.decision.ranking.candidates}
    return tuple(sorted(routes, key=lambda route: costs[route.name]))


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
    return Route.of(candidate, tariff, limit, bound, prompt + limit + beside)


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
