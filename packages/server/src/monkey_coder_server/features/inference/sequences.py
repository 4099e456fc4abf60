"""The arms of a request whose caller leaves to the router which are asked, in which order, and whether several are."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from monkey_coder_server.domain.bandit.cascade import STEPS
from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.collapse import Collapse, Rule
from monkey_coder_server.domain.sequencing import Prospect, Sequencing, next_of, sequencing, strongest_of
from monkey_coder_server.features.inference.fitting import choose
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.leeway import Leeway
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.rounds import Rounds
from monkey_coder_server.features.inference.route import Route

NOT_PAID = "several models cannot be paid together within the limit of this request"
SURE = "the leading model is believed in enough"

WATCHED = "this answer is given whatever the checks say of it, so that they go on being measured"


DECIMALS = 3
"""Of a check's rates: what differs beyond them is planned alike."""
T = TypeVar("T")


class Wish(NamedTuple):
    """A rule of `collapse.PLANNED`, and how far checks of answers are believed at this work."""

    collapse: Collapse
    rates: Rates


class Sequenced(NamedTuple):
    """What was planned, and the routes of its arms in the order they were planned; none for a single arm."""

    plan: Sequencing
    routes: tuple[Route, ...] = ()


def sequenced(plan: Plan, job: Job, wish: Wish, budget: int | None, leeway: Leeway) -> Sequenced | None:
    """What a wish comes to, all arms together within the budget (nano-dollars) and the leeway.

    None where not even one arm fits.
    """
    made: Sequencing | None = None
    for count in range(min(wish.collapse.branches, STEPS), 1, -1):
        room = leeway if leeway.tokens is None else replace(leeway, tokens=leeway.tokens // count)
        for share in (None,) if budget is None else (budget, budget // count):
            routes = choose(plan, job, share, len(plan.order), room)
            if not routes:
                continue
            made = _made(plan, routes, wish, count)
            if made.rule is Rule.SINGLE:
                return Sequenced(made)
            by_name = {route.name: route for route in routes}
            running = tuple([by_name[name] for name in made.arms])
            if budget is None or sum(route.bound for route in running) <= budget:
                return Sequenced(made, running)
    return None if made is None else Sequenced(made.instead(NOT_PAID))


def sure(plan: Plan, routes: Sequence[Route], wish: Wish) -> Sequencing:
    """That one arm is asked, because the leading one is believed in enough for its caller."""
    return _made(plan, routes[:1], wish, 1).instead(SURE)


def _made(plan: Plan, routes: Sequence[Route], wish: Wish, most: int) -> Sequencing:
    """Planned once for all equal requests of a moment; only the greatest costs differ among them."""
    bounds = {route.name: route.bound for route in routes}
    rule, rates = wish.collapse.rule, wish.rates
    place = (rule, most, tuple(bounds), tuple([round(figure, DECIMALS) for figure in rates]))
    found = plan.decision.sequences.get(place)
    if found is None:
        weights = plan.decision.ranking.weights
        found = sequencing(rule, [*_prospects(plan, routes)], rates, weights, most=most)
        plan.decision.sequences[place] = found
    return found.within(bounds)


def next_round(plan: Plan, routes: Sequence[Route], wish: Wish, rounds: Rounds) -> Sequenced:
    """Who answers now of all who could, where the caller checks: the next of a cascade, then who else may serve.

    Where no cascade is worth it one arm is asked: the best-ranked first, after failures the strongest of the others.
    """
    if not rounds.failed and not wish.collapse.wanted_for(plan.decision.worth):
        return Sequenced(sure(plan, routes, wish), tuple(routes))
    prospects, failed = [*_prospects(plan, routes)], frozenset(rounds.models)
    planned = _made(plan, routes, wish, min(wish.collapse.branches, STEPS))
    made = next_of(planned, prospects, failed)
    if made.start is None and not failed:
        return Sequenced(made, tuple(routes))
    left = [each for each in prospects if each.name not in failed] or prospects
    first = strongest_of(left).name if made.start is None else made.start.arm
    return Sequenced(made, tuple(sorted(routes, key=lambda route: (route.name != first, route.name in failed))))


def watches(made: Sequencing | None) -> bool:
    """Whether the strongest model answered so that the checks go on being measured."""
    return made is not None and made.reason == WATCHED


def ranked(made: Sequencing | None, rounds: Rounds | None) -> bool:
    """Whether it was the ranking's turn to say who answers: no plan, no failure and no watching of checks said it."""
    if rounds is not None and rounds.failed:
        return False
    return made is None or (made.rule is Rule.SINGLE and not watches(made))


def strongest_first(routes: Sequence[Route], strongest: str, most: int) -> tuple[Route, ...]:
    """The best routes, at most so many, that of the strongest arm before all others."""
    return tuple(sorted(routes, key=lambda route: route.name != strongest)[:most])


def _prospects(plan: Plan, routes: Sequence[Route]) -> Iterator[Prospect]:
    expected = {each.name: each.expected for each in plan.decision.ranking.candidates}
    for route in routes:
        name = route.name
        each = expected[name]
        yield Prospect(name, each.success, each.cost, route.bound, each.latency_ms)


async def considered(plan: Plan, choosing: Callable[[], T]) -> T:
    """What is chosen: at once, but in a thread where sequences are planned, which takes tens of milliseconds."""
    return choosing() if plan.rates is None else await asyncio.to_thread(choosing)
