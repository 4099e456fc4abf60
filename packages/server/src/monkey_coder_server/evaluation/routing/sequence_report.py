"""The figures of cascades and races as part of the JSON document, and as a table to read."""

from typing import Any

from monkey_coder_server.evaluation.routing.runners import Check
from monkey_coder_server.evaluation.routing.sequences import STATED, SequenceFigures, SequenceReport, Span

_HEADS = ("check", "mode", "quality", "gain, points", "cost", "share of cost", "turns", "share of turns")


def document(found: SequenceReport, check: Check = STATED) -> dict[str, Any]:
    """The figures with one check as the report's JSON has them, and those of every other check beside them."""
    stated = {mode: _entry(found, check, figures) for mode, figures in found.figures[check].items()}
    every = [
        {"mode": mode, **_entry(found, each, figures)}
        for each, modes in found.figures.items()
        for mode, figures in modes.items()
    ]
    return {**stated, "checks": every}


def _entry(found: SequenceReport, check: Check, figures: SequenceFigures) -> dict[str, Any]:
    return {
        "verifier": f"{check.right:g}/{check.wrong:g}",
        "quality": figures.mean.quality,
        "cost": figures.mean.cost,
        "turns": figures.mean.calls,
        "strong": found.strongest,
        "strong_quality": found.strong.quality,
        "strong_cost": found.strong.cost,
        "strong_turns": found.strong.calls,
        "gain": figures.gain._asdict(),
        "cost_share": figures.cost_share._asdict(),
        "turns_share": figures.calls_share._asdict(),
        "plans": [[*plan] for plan in figures.plans],
    }


def table(found: SequenceReport) -> str:
    """Every mode with every check, with 5 to 95 % intervals against the strongest arm."""
    strong = found.strong
    alone = f"{strong.quality:.1%} for ${strong.cost:.3f} in {strong.calls:.1f} turns"
    lines = [
        f"{found.name}, checks simulated; {found.strongest} alone: {alone}",
        "",
        "| " + " | ".join(_HEADS) + " |",
        "|---" * len(_HEADS) + "|",
    ]
    for check, modes in found.figures.items():
        lines += ["| " + " | ".join(_cells(check, mode, figures)) + " |" for mode, figures in modes.items()]
    return "\n".join(lines) + "\n"


def _cells(check: Check, mode: str, of: SequenceFigures) -> list[str]:
    return [
        f"{check.right:g}/{check.wrong:g}",
        mode,
        f"{of.mean.quality:.1%}",
        f"{100 * of.gain.mean:+.1f} ({100 * of.gain.low:+.1f} to {100 * of.gain.high:+.1f})",
        f"${of.mean.cost:.3f}",
        _share(of.cost_share),
        f"{of.mean.calls:.1f}",
        _share(of.calls_share),
    ]


def _share(of: Span) -> str:
    return f"{of.mean:.0%} ({of.low:.0%} to {of.high:.0%})"
