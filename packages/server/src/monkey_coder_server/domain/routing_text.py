"""A ranking as the text of one request moves it: the same candidates, their success and their order another."""

from collections.abc import Mapping
from dataclasses import replace

from monkey_coder_server.domain.bandit.earned import moved
from monkey_coder_server.domain.routing import Plan, Ranked, Terms, in_order


def as_heard(plan: Plan, told: Mapping[str, float]) -> Plan:
    """The plan when each candidate's success, before its errors are counted, differs by what is told of it."""
    successes = [_success(each, told.get(each.name, 0.0)) for each in plan.candidates]
    best = max(successes, default=0.0) or 1.0
    heard = []
    for each, success in zip(plan.candidates, successes, strict=True):
        old, quality = each.terms, success / best
        utility = old.utility + plan.weights.quality * (quality - old.quality) / 100
        terms = Terms(quality, old.cost, old.latency, utility)
        heard.append(Ranked(each.state, each.expected._replace(success=success), terms, each.preferred))
    return replace(plan, candidates=tuple(in_order(heard)))


def _success(each: Ranked, shift: float) -> float:
    """What is believed of a candidate, times how often it is there to answer."""
    believed = each.state.learned.success
    if believed is None or not shift:
        return each.expected.success
    return moved(believed, shift) * each.expected.success / believed
