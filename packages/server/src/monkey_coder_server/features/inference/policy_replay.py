"""What another rule of routing would have come to on the decisions that are logged, and how sure that is."""

from collections.abc import AsyncIterator, Callable, Sequence
from math import inf
from random import Random
from typing import Any

from monkey_coder_server.domain import routing_rules
from monkey_coder_server.domain.bandit.direct_method import Case, Modelled, modelled
from monkey_coder_server.domain.bandit.off_policy import Estimate, Evaluation, Trial, evaluate
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.routing_rules import Option, Rule
from monkey_coder_server.ports.routing_store import LoggedDecision

SEED = 5
"""Of the bootstrap: the same log says the same."""
POLICIES = "auto, cheapest, best, single:PROVIDER/MODEL, weights:QUALITY,COST,LATENCY"
_NAMED: dict[str, Rule] = {
    "auto": routing_rules.logged,
    "cheapest": routing_rules.cheapest,
    "best": routing_rules.best,
}


def rule_of(policy: str) -> Rule:
    """The rule a policy names. Raises `InvalidRequest`."""
    if policy in _NAMED:
        return _NAMED[policy]
    kind, _, value = policy.partition(":")
    if kind == "single" and "/" in value:
        return routing_rules.single(value)
    try:
        quality, cost, latency = [float(each) for each in value.split(",")]
    except ValueError:
        kind = ""
    else:
        if min(quality, cost, latency) < 0 or not 0 < quality + cost + latency < float("inf"):
            kind = ""
    if kind != "weights":
        message = f"{policy!r} is no policy; it must be one of {POLICIES}."
        raise InvalidRequest(message)
    return routing_rules.weighted(quality, cost, latency)


class Replay:
    """Trials of a rule, decision by decision."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._trials: dict[str, list[Trial]] = {"quality": [], "cost": [], "latency": []}
        self._cases: dict[str, list[Case]] = {"quality": [], "cost": [], "latency": []}
        self._decisions = 0
        self._elsewhere = 0

    async def take(self, pages: AsyncIterator[Sequence[LoggedDecision]]) -> None:
        """Replay all of the log's pages."""
        async for page in pages:
            for logged in page:
                self._replay(logged)

    def document(self) -> dict[str, Any]:
        """What came of it: for each measure the estimates with intervals that hold nine times of ten, or why none."""
        return {
            "decisions": self._decisions,
            "answered_by_another": self._elsewhere,
            "quality": self._told("quality", lambda value: round(value, 4)),
            "cost_usd": self._told("cost", lambda value: usd(round(value))),
            "latency_ms": self._told("latency", round),
        }

    def _replay(self, logged: LoggedDecision) -> None:
        decision = logged.decision
        self._decisions += 1
        if decision.served != decision.arm:
            self._elsewhere += 1
            return
        options = [
            Option(each.arm, each.quality, float(each.cost), float(each.latency_ms), each.propensity)
            for each in decision.candidates
        ]
        shares = self._rule(options)
        played = next(place for place, option in enumerate(options) if option.arm == decision.arm)
        supported = sum(shares) > 0 and all(
            option.propensity > 0 for option, share in zip(options, shares, strict=True) if share
        )

        def note(measure: str, outcome: float | None, expected: Callable[[Option], float]) -> None:
            wanted = {
                option.arm: share * expected(option) for option, share in zip(options, shares, strict=True) if share
            }
            case = Case(wanted, decision.arm, expected(options[played]), outcome)
            self._cases[measure].append(case)
            if outcome is None:
                return
            of_target = sum(wanted.values())
            trial = Trial(decision.propensity, shares[played], outcome, expected(options[played]), of_target, supported)
            self._trials[measure].append(trial)

        note("cost", float(decision.cost), lambda option: option.cost)
        note("latency", float(decision.latency_ms), lambda option: option.latency_ms)
        told = logged.outcome
        note("quality", None if told is None else told.quality, lambda option: option.quality)

    def _told(self, measure: str, shown: Callable[[float], Any]) -> dict[str, Any]:
        trials = self._trials[measure]
        found = evaluate(trials)
        told: dict[str, Any] = {
            "decisions": found.rows,
            "supported": round(found.support, 4),
            "effective": round(found.effective, 1),
        }
        if trials:
            told["as_it_was"] = shown(sum(trial.outcome for trial in trials) / len(trials))
        if isinstance(found, Evaluation):
            for name in ("doubly_robust", "self_normalised", "inverse_propensity"):
                estimate: Estimate = getattr(found, name)
                low, high = shown(estimate.low), shown(estimate.high)
                told[name] = {"estimate": shown(estimate.value), "low": low, "high": high}
        else:
            told["unknown"] = found.reason
        model = modelled(self._cases[measure], Random(SEED).random)
        if model is not None:
            told["model_based"] = self._modelled(model, shown, most=1.0 if measure == "quality" else inf)
        return told

    @staticmethod
    def _modelled(found: Modelled, shown: Callable[[float], Any], *, most: float) -> dict[str, Any]:
        """What the router itself expected of the rule's arms, calibrated."""
        estimate, low, high = [shown(min(most, value)) for value in (found.value, found.low, found.high)]
        return {
            "estimate": estimate,
            "low": low,
            "high": high,
            "decisions": found.rows,
            "outcomes": found.outcomes,
            "coverage": round(found.coverage, 4),
            "calibrated": round(found.calibrated, 4),
            "actual_to_expected": round(found.ratio, 4),
        }


def lines(document: dict[str, Any]) -> list[str]:
    """The document for people to read."""
    shown = [
        f"{document['decisions']} decisions, {document['answered_by_another']} answered by another model: left out"
    ]
    for measure in ("quality", "cost_usd", "latency_ms"):
        told = document[measure]
        was = f"{measure:11} {told['decisions']} outcomes, as it was {told.get('as_it_was', '-')}"
        if "unknown" in told:
            shown.append(f"{was}; {told['unknown']}")
        else:
            robust = told["doubly_robust"]
            shown.append(
                f"{was}; would have been {robust['estimate']} ({robust['low']} to {robust['high']}, 90 %), "
                f"on {told['supported']:.0%} of them, worth {told['effective']} rows"
            )
        if "model_based" in told:
            model = told["model_based"]
            shown.append(
                f"{'':11} model-based, not observed: {model['estimate']} ({model['low']} to {model['high']}), "
                f"on {model['coverage']:.0%} of {model['decisions']} decisions, "
                f"{model['calibrated']:.0%} of it by models with outcomes of their own"
            )
    return shown
