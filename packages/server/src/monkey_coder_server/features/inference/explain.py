"""Why this model: the numbers the choice was made with, for the answer's own account of itself."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.collapse import Rule
from monkey_coder_server.domain.money import NANO_PER_USD, usd
from monkey_coder_server.domain.routing_collapse import best_single
from monkey_coder_server.domain.sequencing import Outlook, Sequencing
from monkey_coder_server.domain.verification.trust import source_of
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.plan import Decision, Draw, Plan
from monkey_coder_server.features.inference.rounds import Rounds
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.sequences import watches
from monkey_coder_server.features.inference.sessions import Warm

WATCHED = "watched"
"""The strongest answered instead of a sequence, so that checks go on being measured."""
STRONGEST_LEFT = "strongest_left"
"""The strongest of those whose answers did not fail their caller's check."""
LEAST_SHOWN = 0.0005
"""Smaller probabilities, and smaller differences of them, are not listed."""


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


def collapse_of(served: Served, charged: int) -> dict[str, Any]:
    """The candidates that were weighed against each other, what they collapsed to, and what that saved."""
    plan, route = served.plan, served.route
    decision, rank = plan.decision, rank_of(plan, route)
    ranking = decision.ranking
    return {
        "mode": ranking.mode,
        "weights": ranking.weights.shown(),
        "weights_from": ranking.weights_from,
        "input_tokens_reckoned": decision.input_tokens,
        "considered": len(ranking.candidates),
        "left_out": len(ranking.excluded),
        "superposition": decision.superposition,
        "collapsed_to": route.name,
        "rank": rank,
        **_collapsed_by(served),
        **saving_of(decision, rank - 1),
        "saving_usd": usd(_saved(served, charged)),
        **({"moved_by_text": rounded(decision.told)} if decision.told else {}),
    }


def sequence_of(asked: Rule, made: Sequencing, rounds: Rounds | None) -> dict[str, Any]:
    """What was asked for, what the router ran for it and why, and what it foresaw."""
    said: dict[str, Any] = {
        "asked": asked,
        "ran": made.rule,
        "arms": made.arms,
        "check": rates_of(made.rates),
        "foreseen": _outlook(made.foreseen),
        "strongest_model": made.strongest,
        "strongest_alone": _outlook(made.alone),
    }
    if made.reason:
        said["reason"] = made.reason
    if rounds is not None:
        said["check"] |= {"verifier": rounds.verifier, "stated": source_of(rounds.verifier)}
        said["round"] = _round(made, rounds)
    return said


def _round(made: Sequencing, rounds: Rounds) -> dict[str, Any]:
    """Which answer of its task this is, what failed before, and how likely the arm was to be right after that."""
    start = made.start
    return {
        "number": rounds.number,
        "failed": [{"request_id": each.request_id, "model": each.by.model} for each in rounds.failed],
        "planned": None if start is None else start.arm,
        "success": None if start is None else round(start.right, 4),
    }


def rates_of(rates: Rates) -> dict[str, Any]:
    """How far a check is believed: shares of right and of wrong answers it passes, and how sure it is of use."""
    return {
        "passes_right": round(rates.right, 4),
        "passes_wrong": round(rates.wrong, 4),
        "spread": round(rates.spread, 4),
        "useful_with_confidence": round(rates.confidence, 4),
        "useful": rates.useful,
    }


def _outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "success": round(outlook.quality, 4),
        "cost_usd": usd(ceil(outlook.cost * NANO_PER_USD)),
        "latency_ms": round(outlook.latency_ms),
    }


def _collapsed_by(served: Served) -> dict[str, Any]:
    """How the model that answered was taken: of several the rule that kept its answer."""
    if watches(served.sequencing):
        return {"collapse": WATCHED}
    made, rounds = served.sequencing, served.job.rounds
    if served.collapsed is not None or (made is not None and made.start is not None):
        return {"collapse": served.rule}
    if rounds is not None and rounds.failed:
        return {"collapse": STRONGEST_LEFT}
    return drawn_by(served.plan.decision, served.plan.draw)


def _saved(served: Served, charged: int) -> int:
    """What the answer's tokens cost at the model believed to be best, less what was charged; may be negative."""
    decision = served.plan.decision
    best = best_single(decision.ranking.candidates)
    tariff = next(each.tariff for each in decision.order if each.name == best.name)
    return tariff.price(served.usage) - charged


def drawn_by(decision: Decision, draw: Draw | None) -> dict[str, Any]:
    """How the first candidate was taken: one as a rule, or one drawn by the probabilities given."""
    if draw is None:
        return {"collapse": "best_proven" if decision.usual else "best_ranked"}
    return {
        "collapse": "drawn" if draw.explores else "newcomer_limited",
        "draw": draw.uniform,
        "drawn": decision.order[draw.place].name,
        "propensity": draw.propensity,
        "probabilities": probabilities_of(decision, draw.probabilities),
    }


def probabilities_of(decision: Decision, shares: Sequence[float]) -> dict[str, float]:
    """With which of these probabilities each candidate is played first."""
    named = zip(decision.order, shares, strict=True)
    return {candidate.name: round(share, 4) for candidate, share in named if share >= LEAST_SHOWN}


def rounded(told: Mapping[str, float]) -> dict[str, float]:
    """By how much the text moves what is believed of each candidate, where it does."""
    return {name: round(shift, 4) for name, shift in told.items() if abs(shift) >= LEAST_SHOWN}


def saving_of(decision: Decision, place: int) -> dict[str, Any]:
    """What a candidate is expected to cost less than the one believed to be best; negative where it costs more."""
    candidates = decision.ranking.candidates
    best = best_single(candidates)
    saved = best.expected.cost - candidates[place].expected.cost
    return {"best_single_model": best.name, "expected_saving_usd": usd(saved)}


def staying_of(decision: Decision, conversations: Sequence[Warm]) -> dict[str, Any]:
    """What holds conversations where their prompts are cached, and what moving would cost; negative where it spares."""
    return {
        "best_ranked": decision.order[0].name,
        "conversations": [
            {
                "model": each.name,
                "seconds_left": round(each.seconds_left, 1),
                "cached_tokens": each.cached,
                "saving_usd": None if each.saving is None else usd(each.saving),
                "moving_costs_usd": None if each.moving is None else usd(each.moving),
                "stays": each.stays,
            }
            for each in conversations
        ],
    }


def rank_of(plan: Plan, route: Route) -> int:
    """The place of a route in the ranking, from 1."""
    return plan.decision.order.index(route.candidate) + 1
