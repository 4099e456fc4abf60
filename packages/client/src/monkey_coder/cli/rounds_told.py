"""What is said of a task that may take several answers: why this model, and what each came to."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from monkey_coder.cli import output

if TYPE_CHECKING:
    from monkey_coder import Execution, VerifiedTask


def why_this_model(execution: "Execution") -> Iterator[str]:
    """Why the gateway asked this model in this round, where it tells."""
    told = execution.result.quantum_collapse_info if execution.result else {}
    sequence: Mapping[str, Any] = told.get("sequence") or {}
    about: Mapping[str, Any] = sequence.get("round") or {}
    number, success = about.get("number"), about.get("success")
    if number is None:
        return
    if reason := sequence.get("reason"):
        yield f"Round {number}, no cascade: {reason}."
    elif isinstance(success, int | float):
        before = "" if number == 1 else ", given what failed"
        yield f"Round {number} of a cascade: {about.get('planned')} was expected to be right at {success:.0%}{before}."


def every_round(task: "VerifiedTask") -> Iterator[str]:
    """What each answer cost and how it ended, and all together."""
    for number, (execution, found) in enumerate(((each.execution, each.found) for each in task.rounds), start=1):
        cost = "of unknown cost" if execution.cost_usd is None else output.usd(execution.cost_usd)
        ending = "passed" if found.passed else f"failed, {found.ending}"
        receipt = f" · receipt {execution.receipt_id}" if execution.receipt_id else ""
        yield f"{number}. {execution.route} · {cost} · {ending}{receipt}"
    yield f"{len(task.rounds)} answers cost {output.usd(task.cost_usd)} together."
