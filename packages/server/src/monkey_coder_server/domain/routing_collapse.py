"""The collapse of a ranking to one model: with which probability each candidate is played first.

A candidate's utility is believed to be normal around what it was ranked by, with the part of the spread of its success
that is drawn with, weighed as its quality is. Each is played as probably as it is the best; those of which too little
is known share a small part of the requests.

Where nothing is drawn the best-ranked is played. One that ranks first by what is stated of it, while a rival is proven,
is a newcomer: the best proven is played, and the newcomer a small part of the time until outcomes say what it is worth.
"""

from collections.abc import Sequence

from monkey_coder_server.domain.bandit.choice import DRAWN_SPREAD, PROVEN_ROWS, UNPROVEN_SHARE, limited
from monkey_coder_server.domain.bandit.posterior import Belief
from monkey_coder_server.domain.catalog import Mode
from monkey_coder_server.domain.routing import Plan, Ranked

EXPLORING = frozenset({Mode.BALANCED, Mode.CHEAP, Mode.FAST})
"""Who names a model, or wants the best, gets just that."""
OVERRATED = 0.3
"""By so much a stated success may be too high: two standard deviations of a belief that rests on no outcome.

Who leads even so needs no proof: it is far cheaper or quicker where that was asked for, or the proven are bad.
"""
OVERRATED_BEST = 0.15
"""The same for `auto:best`: one deviation. Who pays for the best is not given a weak model because that is proven."""


def probabilities(plan: Plan) -> tuple[float, ...]:
    """For each candidate, in order, the probability of being played first; they sum to 1.

    What is tried late, because its provider fails or others are preferred, is not explored.
    """
    candidates = plan.candidates
    if plan.mode not in EXPLORING or len(candidates) == 1:
        return (1.0, *[0.0] * (len(candidates) - 1))
    rivals, leads = _rivals(plan), usual(plan) == 0
    shares = limited(
        [_utility(plan, candidates[place]) for place in rivals],
        [(leads and place == 0) or _proven(candidates[place]) for place in rivals],
    )
    found = [0.0] * len(candidates)
    for place, share in zip(rivals, shares, strict=True):
        found[place] = share
    return tuple(found)


def usual(plan: Plan) -> int:
    """The place of the candidate that is played as a rule: the best-ranked, or the best proven while it is a newcomer.

    Where nobody is proven, as at first, nobody is a newcomer; nor is a model that the caller pinned.
    """
    candidates = plan.candidates
    leader = candidates[0]
    proven = [place for place in _rivals(plan) if _proven(candidates[place])]
    if plan.mode is Mode.PINNED or _proven(leader) or not proven:
        return 0
    place = max(proven, key=lambda place: candidates[place].terms.utility)
    overrated = OVERRATED_BEST if plan.mode is Mode.BEST else OVERRATED
    lead = leader.terms.utility - candidates[place].terms.utility
    return 0 if lead > overrated * _utility_of_success(plan, leader) else place


def newcomer_shares(plan: Plan) -> tuple[float, ...]:
    """For each candidate, in order, the probability of being played first where nothing is explored."""
    place = usual(plan)
    found = [0.0] * len(plan.candidates)
    found[place] = 1.0
    if place and plan.mode in EXPLORING:
        found[0], found[place] = UNPROVEN_SHARE, 1.0 - UNPROVEN_SHARE
    return tuple(found)


def best_single(candidates: Sequence[Ranked]) -> Ranked:
    """The candidate believed to do this work best, whatever it costs: what one would use who uses one model."""
    return max(candidates, key=lambda each: (each.expected.success, -each.expected.cost))


def _utility(plan: Plan, each: Ranked) -> Belief:
    return Belief(each.terms.utility, DRAWN_SPREAD * each.expected.spread * _utility_of_success(plan, each))


def _utility_of_success(plan: Plan, each: Ranked) -> float:
    """How much utility a candidate's success would bring if it were 1."""
    best = each.expected.success / each.terms.quality if each.terms.quality else 1.0
    return plan.weights.quality / 100 / best


def _proven(each: Ranked) -> bool:
    return each.expected.seen >= PROVEN_ROWS


def _rivals(plan: Plan) -> list[int]:
    """The places of the best-ranked and of those that are as healthy and as much preferred."""
    level = _level(plan.candidates[0])
    return [place for place, each in enumerate(plan.candidates) if _level(each) == level]


def _level(each: Ranked) -> tuple[bool, bool]:
    return each.state.healthy, each.preferred
