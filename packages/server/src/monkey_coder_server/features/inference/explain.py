"""Why this model: the numbers the choice was made with, for the answer's own account of itself."""

from typing import Any

from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.features.inference.route import Route


def choice_of(plan: Plan, route: Route) -> dict[str, Any]:
    """What was asked for and who answered. `rank` above 1: better ones failed or were beyond the budget."""
    decision = plan.decision
    said: dict[str, Any] = {
        "requested_model": decision.selection.asked,
        "mode": decision.ranking.mode,
        "provider": route.provider.name,
        "model": route.card.model,
        "rank": rank_of(plan, route),
    }
    if decision.selection.historic:
        said["replaces_historic_name"] = True
    if decision.dropped:
        said["preferred_providers_not_available"] = decision.dropped
    return said


def collapse_of(plan: Plan, route: Route) -> dict[str, Any]:
    """The candidates that were weighed against each other and what they collapsed to."""
    ranking, weights = plan.decision.ranking, plan.decision.ranking.weights
    return {
        "mode": ranking.mode,
        "weights": {"quality": weights.quality, "cost": weights.cost, "latency": weights.latency},
        "input_tokens_reckoned": plan.decision.input_tokens,
        "considered": len(ranking.candidates),
        "left_out": len(ranking.excluded),
        "superposition": plan.decision.superposition,
        "collapsed_to": route.name,
        "rank": rank_of(plan, route),
    }


def rank_of(plan: Plan, route: Route) -> int:
    """The place of a route in the ranking, from 1."""
    return plan.decision.order.index(route.candidate) + 1
