"""What every check says of good replies and of damaged ones, as a document and as tables."""

from collections.abc import Iterable, Sequence
from random import Random
from statistics import quantiles
from time import process_time
from typing import Any

from monkey_coder_server.domain.verification.agreement import TOGETHER, agreement
from monkey_coder_server.domain.verification.application import apply_edits
from monkey_coder_server.domain.verification.edits import read_edits
from monkey_coder_server.domain.verification.verdict import Check, Outcome, Verdict
from monkey_coder_server.evaluation.verification.cases import Case
from monkey_coder_server.evaluation.verification.damage import DAMAGES, REFUSALS, Damage

SEED = 20_261_129


def document(cases: Sequence[Case]) -> dict[str, Any]:
    """Shares of good replies that pass, of damaged ones that are found, of edits that come out as they were committed.

    Times are milliseconds of CPU.
    """
    good = [case.verdict() for case in cases]
    return {
        "cases": len(cases),
        "good": _good(good),
        "damaged": [*(_found(damage, cases) for damage in DAMAGES), _refusals()],
        "applied": _applied(cases, good),
        "verdict_ms": {
            "with files": _milliseconds(cases),
            "the text alone": _milliseconds(case._replace(before={}) for case in cases),
        },
    }


def _milliseconds(cases: Iterable[Case]) -> dict[str, float]:
    """CPU time of a verdict, the best of three."""
    spent = [min(_once(case) for _ in range(3)) for case in cases]
    if len(spent) < 2:
        return {}
    cuts = quantiles(spent, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p90": round(cuts[89], 2), "p99": round(cuts[98], 2)}


def _once(case: Case) -> float:
    begun = process_time()
    case.verdict()
    return (process_time() - begun) * 1_000


def _shown(cuts: dict[str, float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cuts.items()) or "not measured"


def _good(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """How many good replies each check judged, and how many passed: the rest are false alarms, or were not good."""
    learnt = agreement((found, True) for found in verdicts)
    counts = {}
    for name, check in learnt.items():
        seen = check.seen.get(())
        if seen is not None:
            counts[name] = {
                "judged": (seen.right_passed + seen.right_failed) // 1_000,
                "passed": seen.right_passed // 1_000,
            }
    return counts


def _found(damage: Damage, cases: Iterable[Case]) -> dict[str, Any]:
    """Of replies that passed and were then damaged: found by the check that is meant to, and by any."""
    random = Random(SEED)  # the damage is to be the same every time
    made = [wrong for case in cases if case.verdict().passed and (wrong := damage.make(case, random)) is not None]
    return _caught(damage.name, damage.check, [case.verdict() for case in made])


def _refusals() -> dict[str, Any]:
    return _caught("declines", Check.NO_REFUSAL, [Case({}, {}, said).verdict() for said in REFUSALS])


def _caught(name: str, check: Check, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    by_check = sum(any(found.check is check for found in verdict.failures) for verdict in verdicts)
    by_any = sum(not verdict.passed for verdict in verdicts)
    return {"damage": name, "check": check.value, "made": len(verdicts), "found": by_check, "found_by_any": by_any}


def _applied(cases: Sequence[Case], verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Whether edits that the check passed give, byte for byte, what was committed."""
    passing = [
        case
        for case, verdict in zip(cases, verdicts, strict=True)
        if (Check.PATCH_APPLIES, Outcome.PASSED) in {found[:2] for found in verdict.findings}
    ]
    same = sum(apply_edits(read_edits(case.reply).found, case.before).files == case.after for case in passing)
    return {"passed": len(passing), "as_committed": same}


def tables(found: dict[str, Any]) -> str:
    """The document for people, in Markdown."""
    good = [f"| `{name}` | {each['judged']} | {each['passed']} |" for name, each in _in_order(found["good"])]
    damaged = [
        f"| {each['damage']} | {each['made']} | `{each['check']}` | {each['found']} | {each['found_by_any']} |"
        for each in found["damaged"]
    ]
    applied = found["applied"]
    lines = [
        f"{found['cases']} replies a tool made commits of:",
        "",
        "| check | judged | passed |",
        "|---|---|---|",
        *good,
        "",
        "The same, where they passed, damaged:",
        "",
        "| damage | made | check meant to find it | found | found by any |",
        "|---|---|---|---|---|",
        *damaged,
        "",
        f"Of {applied['passed']} replies whose edits apply, {applied['as_committed']} give exactly what was committed.",
        *(f"Milliseconds of CPU, {name}: {_shown(cuts)}." for name, cuts in found["verdict_ms"].items()),
    ]
    return "\n".join(lines) + "\n"


def _in_order(good: dict[str, dict[str, int]]) -> list[tuple[str, dict[str, int]]]:
    order = [*(check.value for check in Check), TOGETHER]
    return [(name, good[name]) for name in order if name in good]
