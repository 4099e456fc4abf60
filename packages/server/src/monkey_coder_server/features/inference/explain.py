"""Why this model: the numbers the choice was made with, for the answer's own account of itself."""

from typing import Any

from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.routing_collapse import best_single
from monkey_coder_server.features.inference.plan import Decision, Draw, Plan
from monkey_coder_server.features.inference.route import Route

LEAST_SHOWN = 0.0005
"""Smaller probabilities are not listed."""


def choice_of(plan: Plan, route: Route) -> dict[str, Any]:
    """What was asked for and who answered.

    `rank` above 1: better ones failed, were beyond the budget, or another was tried.
    """
    decision = plan.decision
    said: dict[str, Any] = {
        "requested_model": decision.selection.asked,
        "mode": decision.ranking.mode,
        "kind_of_work": plan.work.kind,
        "language": plan.work.language or None,
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
    decision, rank = plan.decision, rank_of(plan, route)
    ranking, weights = decision.ranking, decision.ranking.weights
    return {
        "mode": ranking.mode,
        "weights": {"quality": weights.quality, "cost": weights.cost, "latency": weights.latency},
        "input_tokens_reckoned": decision.input_tokens,
        "considered": len(ranking.candidates),
        "left_out": len(ranking.excluded),
        "superposition": decision.superposition,
        "collapsed_to": route.name,
        "rank": rank,
        **drawn_by(decision, plan.draw),
        **saving_of(decision, rank - 1),
    }


def drawn_by(decision: Decision, draw: Draw | None) -> dict[str, Any]:
    """How the first candidate was taken: the best-ranked as a rule, or one drawn by the probabilities given."""
    if draw is None:
        return {"collapse": "best_ranked"}
    return {
        "collapse": "drawn",
        "draw": draw.uniform,
        "drawn": decision.order[draw.place].name,
        "propensity": draw.propensity,
        "probabilities": probabilities_of(decision),
    }


def probabilities_of(decision: Decision) -> dict[str, float]:
    """With which probability each candidate is played first where a request is drawn."""
    named = zip(decision.order, decision.probabilities, strict=True)
    return {candidate.name: round(share, 4) for candidate, share in named if share >= LEAST_SHOWN}


def saving_of(decision: Decision, place: int) -> dict[str, Any]:
    """What a candidate is expected to cost less than the one believed to be best; negative where it costs more."""
    candidates = decision.ranking.candidates
    best = best_single(candidates)
    saved = best.expected.cost - candidates[place].expected.cost
    return {"best_single_model": best.name, "expected_saving_usd": usd(saved)}


def rank_of(plan: Plan, route: Route) -> int:
    """The place of a route in the ranking, from 1."""
    return plan.decision.order.index(route.candidate) + 1
