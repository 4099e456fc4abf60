"""The figures as one JSON document, and as tables to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from monkey_coder_server.evaluation.routing.latency import Microseconds
from monkey_coder_server.evaluation.routing.sets import SetReport

_HEADS = ("set", "rows", "arms", "APGR", "static", "5-95 % of the difference", "kNN", "oracle", "CPT50", "CPT80")


def document(
    reports: Sequence[SetReport], skipped: Mapping[str, str], decision: Microseconds, update: Microseconds
) -> dict[str, Any]:
    """All figures under the names other programs read."""
    return {
        "sets": {each.name: _figures(each) for each in reports},
        "skipped": dict(skipped),
        "decision_us": decision._asdict(),
        "update_us": update._asdict(),
    }


def tables(
    reports: Sequence[SetReport], skipped: Mapping[str, str], decision: Microseconds, update: Microseconds
) -> str:
    """The same for people."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---" * len(_HEADS) + "|"]
    lines += ["| " + " | ".join(_cells(each)) + " |" for each in reports]
    lines.append("")
    lines += [
        f"{each.name} by the share of calls to {each.anchors.strong}: "
        f"APGR {each.calls.apgr:.3f}, CPT50 {each.calls.cpt50:.1%}, CPT80 {each.calls.cpt80:.1%}"
        for each in reports
        if each.calls
    ]
    lines += [f"{name} is left out: {why}" for name, why in skipped.items()]
    lines.append(
        f"A decision over 20 arms takes {decision.p50:.0f} µs (p99 {decision.p99:.0f}), "
        f"an update {update.p50:.1f} µs (p99 {update.p99:.1f})."
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
        f"{of.low:+.3f} to {of.high:+.3f}",
        f"{of.nearest.apgr:.3f}" if of.nearest else "no text",
        f"{of.oracle.apgr:.3f}",
        f"{of.router.cpt50:.3f}",
        f"{of.router.cpt80:.3f}",
    ]
