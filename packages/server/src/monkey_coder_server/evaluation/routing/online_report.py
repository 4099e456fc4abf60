"""The figures of learning on streams as part of the JSON document, and as a table to read."""

from typing import Any

from monkey_coder_server.evaluation.routing.online import ModeFigures, OnlineReport
from monkey_coder_server.evaluation.routing.sequences import Span

_HEADS = ("mode", "regret at T/4", "T/2", "T", "utility", "worst ratio to the baseline")


def document(found: OnlineReport) -> dict[str, Any]:
    """The figures of a warm start as the report's JSON has them, and every mode and event beside them."""
    return {
        "rounds": found.rounds,
        "best_fixed": found.best_fixed.mean,
        **_entry(found.modes["warm"]),
        "modes": {mode: _entry(figures) for mode, figures in found.modes.items()},
        "shock": {"share": found.shock.mean, "share_low": found.shock.low, "share_high": found.shock.high},
        "newcomers": {"utility": found.newcomers[0].mean, "share": found.newcomers[1].mean},
    }


def _entry(of: ModeFigures) -> dict[str, Any]:
    return {
        "regret": of.regret.end.mean,
        "regret_low": of.regret.end.low,
        "regret_high": of.regret.end.high,
        "regret_quarter": of.regret.quarter.mean,
        "regret_half": of.regret.half.mean,
        "utility": of.utility.mean,
        "worst_ratio": of.worst_ratio.mean,
        "worst_ratio_low": of.worst_ratio.low,
        "curve": [*of.curve],
    }


def table(found: OnlineReport) -> str:
    """Every mode: means over the orders, with 5 to 95 % of them."""
    best = found.best_fixed
    lines = [
        f"{found.name}, streams of {found.rounds:.0f} tasks; the best fixed arm of hindsight has {best.mean:.3f}",
        "",
        "| " + " | ".join(_HEADS) + " |",
        "|---" * len(_HEADS) + "|",
    ]
    for mode, figures in found.modes.items():
        cells = [mode, *map(_told, figures.regret), _told(figures.utility, 3), _told(figures.worst_ratio, 3)]
        lines.append("| " + " | ".join(cells) + " |")
    utility, share = found.newcomers
    lines += [
        "",
        f"After a shock: {_told(found.shock, 3)} of the best alternative.",
        f"With newcomers: utility {_told(utility, 3)}, and they get {_told(share, 3)} of the tasks.",
    ]
    return "\n".join(lines) + "\n"


def _told(of: Span, digits: int = 1) -> str:
    return f"{of.mean:.{digits}f} ({of.low:.{digits}f} to {of.high:.{digits}f})"
