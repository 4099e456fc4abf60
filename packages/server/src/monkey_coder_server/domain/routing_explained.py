"""A ranking as JSON, with the numbers that made it."""

from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.routing import Plan, Ranked


def explained(plan: Plan) -> dict[str, object]:
    """The whole decision."""
    return {
        "mode": plan.mode.value,
        "weights": plan.weights.shown(),
        "weights_from": plan.weights_from.value,
        "chosen": plan.candidates[0].name if plan.candidates else None,
        "candidates": leading(plan, len(plan.candidates)),
        "excluded": [{"model": each.name, "why": each.why.value, "reason": each.reason} for each in plan.excluded],
    }


def leading(plan: Plan, most: int) -> list[dict[str, object]]:
    """The first candidates, so many of them."""
    return [_explained(rank, each) for rank, each in enumerate(plan.candidates[:most], start=1)]


def _explained(rank: int, each: Ranked) -> dict[str, object]:
    expected, terms = each.expected, each.terms
    return {
        "rank": rank,
        "model": each.name,
        "utility": round(terms.utility, 4),
        "terms": {
            "quality": round(terms.quality, 4),
            "cost": round(terms.cost, 4),
            "latency": round(terms.latency, 4),
        },
        "success": round(expected.success, 4),
        "success_from": "learned" if expected.learned else "prior",
        "success_spread": round(expected.spread, 4),
        "outcomes_seen": round(expected.seen, 2),
        "expected_cost_usd": usd(expected.cost),
        "expected_output_tokens": expected.output_tokens,
        "output_from": "seen" if expected.usual else "prior",
        "expected_latency_ms": round(expected.latency_ms),
        "latency_from": "measured" if expected.measured else "prior",
        "healthy": each.state.healthy,
        "preferred": each.preferred,
    }
