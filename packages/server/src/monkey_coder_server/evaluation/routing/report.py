"""The figures as one JSON document, and as tables to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monkey_coder_server.evaluation.routing import online_report, sequence_report
from monkey_coder_server.evaluation.routing.latency import Microseconds
from monkey_coder_server.evaluation.routing.online import OnlineReport
from monkey_coder_server.evaluation.routing.protocol import random_mix
from monkey_coder_server.evaluation.routing.sequences import SequenceReport
from monkey_coder_server.evaluation.routing.sets import SetReport

_HEADS = (
    "set",
    "rows",
    "arms",
    "APGR",
    "static",
    "kind mean",
    "ridge",
    "5-95 % of the difference",
    "kNN",
    "oracle",
    "CPT50",
    "CPT80",
)
_RANDOM_MIX = random_mix()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found. `skipped` says why a set, or a part of the report, is left out."""

    sets: Sequence[SetReport]
    sequences: Sequence[SequenceReport]
    online: Sequence[OnlineReport]
    skipped: Mapping[str, str]
    decision: Microseconds
    update: Microseconds


def document(found: Report) -> dict[str, Any]:
    """All figures under the names other programs read; cascades and races are first those of the first set."""
    sequences = {each.name: sequence_report.document(each) for each in found.sequences}
    return {
        "sets": {each.name: _figures(each) for each in found.sets},
        **next(iter(sequences.values()), {}),
        "sequences": sequences,
        "online": {each.name: online_report.document(each) for each in found.online},
        "skipped": dict(found.skipped),
        "decision_us": found.decision._asdict(),
        "update_us": found.update._asdict(),
    }


def tables(found: Report) -> str:
    """The same for people."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---" * len(_HEADS) + "|"]
    lines += ["| " + " | ".join(_cells(each)) + " |" for each in found.sets]
    lines.append(
        f"\nA random mix of the cheap and the strong arm has APGR {_RANDOM_MIX.apgr:.3f}, "
        f"CPT50 {_RANDOM_MIX.cpt50:.3f} and CPT80 {_RANDOM_MIX.cpt80:.3f} on every set.\n"
    )
    lines += [
        f"{each.name} by the share of calls to {each.anchors.strong}: "
        f"APGR {each.calls.apgr:.3f}, CPT50 {each.calls.cpt50:.1%}, CPT80 {each.calls.cpt80:.1%}"
        for each in found.sets
        if each.calls
    ]
    lines += [sequence_report.table(each) for each in found.sequences]
    lines += [online_report.table(each) for each in found.online]
    lines += [f"{name} is left out: {why}" for name, why in found.skipped.items()]
    lines.append(
        f"A decision over 20 arms takes {found.decision.p50:.0f} µs (p99 {found.decision.p99:.0f}), "
        f"an update {found.update.p50:.1f} µs (p99 {found.update.p99:.1f})."
    )
    return "\n".join(lines) + "\n"


def _figures(of: SetReport) -> dict[str, Any]:
    return {
        "apgr": of.router.apgr,
        "apgr_static": of.static.apgr,
        "diff_low": of.low,
        "diff_high": of.high,
        "cpt50": of.router.cpt50,
        "cpt80": of.router.cpt80,
        "save": of.router.save,
        "gain": of.router.gain,
        "apgr_kind_mean": of.kind_mean.apgr,
        "apgr_ridge": of.ridge.apgr,
        "apgr_random": _RANDOM_MIX.apgr,
        "apgr_oracle": of.oracle.apgr,
        "apgr_knn": of.nearest and of.nearest.apgr,
        "call_share": of.calls and of.calls._asdict(),
        "rows": of.rows,
        "arms": of.arms,
        "cheap": of.anchors.cheap,
        "strong": of.anchors.strong,
    }


def _cells(of: SetReport) -> list[str]:
    return [
        of.name,
        str(of.rows),
        str(of.arms),
        f"{of.router.apgr:.3f}",
        f"{of.static.apgr:.3f}",
        f"{of.kind_mean.apgr:.3f}",
        f"{of.ridge.apgr:.3f}",
        f"{of.low:+.3f} to {of.high:+.3f}",
        f"{of.nearest.apgr:.3f}" if of.nearest else "no text",
        f"{of.oracle.apgr:.3f}",
        f"{of.router.cpt50:.3f}",
        f"{of.router.cpt80:.3f}",
    ]
