"""Why the gateway chose this model: what it tells in `quantum_collapse_info`, as a table for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monkey_coder.cli import output

if TYPE_CHECKING:
    from monkey_coder import Execution

_HEADER = ("", "MODEL", "SUCCESS", "SPREAD", "SEEN", "COST", "LATENCY", "UTILITY", "CHANCE")


def explanation(execution: "Execution") -> str:
    """The candidates with their numbers, how one was taken, and what that is expected to save; empty when untold."""
    told = execution.result.quantum_collapse_info if execution.result else {}
    candidates = [each for each in told.get("superposition") or [] if isinstance(each, dict)]
    if not candidates:
        return ""
    chances = told.get("probabilities") or {}
    rows = [_row(each, told.get("collapsed_to"), chances) for each in candidates]
    return "\n".join([output.columns(_HEADER, rows), *_sentences(execution.persona_routing, told)])


def _row(each: Mapping[str, Any], chosen: object, chances: Mapping[str, Any]) -> tuple[object, ...]:
    name = each.get("model")
    chance = chances.get(str(name))
    return (
        "*" if name == chosen else "",
        name,
        each.get("success"),
        each.get("success_spread"),
        each.get("outcomes_seen"),
        f"${each.get('expected_cost_usd')}",
        f"{each.get('expected_latency_ms')} ms",
        each.get("utility"),
        "" if chance is None else chance,
    )


def _sentences(routing: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    from monkey_coder.results import money  # noqa: PLC0415  # the SDK is imported when a task runs

    kind = " ".join(str(word) for word in (routing.get("kind_of_work"), routing.get("language")) if word)
    sentences = [f"Kind of work: {kind}."] if kind else []
    weights = told.get("weights")
    if isinstance(weights, dict):
        counted = ", ".join(f"{name} {share} %" for name, share in weights.items())
        sentences.append(f"What counts: {counted} (said by the {told.get('weights_from')}).")
    if told.get("collapse") in {"drawn", "newcomer_limited"}:
        sentences.append(
            f"Drawn: {told.get('drawn')} by {_rounded(told.get('draw'))}, whose chance was "
            f"{_rounded(told.get('propensity'))}; {told.get('collapsed_to')} answered."
        )
    else:
        sentences.append(f"{told.get('collapsed_to')} answered, number {told.get('rank')} of {told.get('considered')}.")
    best, saved = told.get("best_single_model"), money(told.get("expected_saving_usd"))
    if best and saved is not None:
        sentences.append(f"Expected to save {output.usd(saved)} against {best}, believed to be best at this.")
    truly = money(told.get("saving_usd"))
    if best and truly is not None:
        sentences.append(f"Saved {output.usd(truly)}: what these tokens cost at {best}, less what was charged.")
    return sentences


def _rounded(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else str(value)
