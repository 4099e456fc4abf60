"""The collapse of a ranking to one model: with which probability each candidate is played first.

A candidate's utility is believed to be normal around what it was ranked by, with the part of the spread of its success
that is drawn with, weighed as its quality is. Each is played as probably as it is the best; those of which too little
is known share a small part of the requests, unless it is the best-ranked one.
"""

from collections.abc import Sequence

from monkey_coder_server.domain.bandit.choice import DRAWN_SPREAD, PROVEN_ROWS, limited
from monkey_coder_server.domain.bandit.posterior import Belief
from monkey_coder_server.domain.catalog import Mode
from monkey_coder_server.domain.routing import Plan, Ranked

EXPLORING = frozenset({Mode.BALANCED, Mode.CHEAP, Mode.FAST})
"""Who names a model, or wants the best, gets just that."""


def probabilities(plan: Plan) -> tuple[float, ...]:
    """For each candidate, in order, the probability of being played first; they sum to 1.

    What is tried late, because its provider fails or others are preferred, is not explored.
    """
    candidates = plan.candidates
    if plan.mode not in EXPLORING or len(candidates) == 1:
        return (1.0, *[0.0] * (len(candidates) - 1))
    rivals = [place for place, each in enumerate(candidates) if _level(each) == _level(candidates[0])]
    shares = limited(
        [_utility(plan, candidates[place]) for place in rivals],
        [place == 0 or candidates[place].expected.seen >= PROVEN_ROWS for place in rivals],
    )
    found = [0.0] * len(candidates)
    for place, share in zip(rivals, shares, strict=True):
        found[place] = share
    return tuple(found)


def best_single(candidates: Sequence[Ranked]) -> Ranked:
    """The candidate believed to do this work best, whatever it costs: what one would use who uses one model."""
    return max(candidates, key=lambda each: (each.expected.success, -each.expected.cost))


def _utility(plan: Plan, each: Ranked) -> Belief:
    best = each.expected.success / each.terms.quality if each.terms.quality else 1.0
    return Belief(each.terms.utility, plan.weights.quality / 100 * DRAWN_SPREAD * each.expected.spread / best)


def _level(each: Ranked) -> tuple[bool, bool]:
    return each.state.healthy, each.preferred
