"""Whether a conversation goes on with a model that is not the best of a ranking, since its prompt is cached there."""

from math import log10

from monkey_coder_server.domain.routing import COST_LOSS_PER_TENFOLD, Plan
from monkey_coder_server.domain.routing_collapse import usual


def staying(made: Plan, place: int, saving: int) -> bool:
    """Whether a candidate is as good as what is played as a rule at so many nano-dollars less than was reckoned.

    Only its own term of cost changes: what the cheapest costs stays the measure for all. What fails, or is less
    preferred than that, is not stayed with.
    """
    each, first = made.candidates[place], made.candidates[usual(made)]
    if (each.state.healthy, each.preferred) != (first.state.healthy, first.preferred):
        return False
    cost = max(1, each.expected.cost)
    gained = COST_LOSS_PER_TENFOLD * log10(cost / max(1, cost - saving))
    return each.terms.utility + made.weights.cost / 100 * gained >= first.terms.utility


def cost_of_moving(made: Plan, place: int, saving: int) -> int:
    """What the best-ranked is expected to cost more than a candidate that spares so much; negative where it costs less.

    In nano-dollars, both.
    """
    return made.candidates[0].expected.cost - (made.candidates[place].expected.cost - saving)
