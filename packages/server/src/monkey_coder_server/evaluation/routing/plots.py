"""The plots of the documentation: regret on streams, and what sequences cost and bring."""

from collections.abc import Iterator
from pathlib import Path

from monkey_coder_server.evaluation.routing.chart import Series, chart
from monkey_coder_server.evaluation.routing.online import CURVE, LEARNING, OnlineReport
from monkey_coder_server.evaluation.routing.report import Report
from monkey_coder_server.evaluation.routing.sequences import MODES, SequenceReport


def write(found: Report, folder: Path) -> None:
    """Write `regret-SET.svg` of every stream and `sequences-SET.svg` of every set of recorded runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in _drawings(found):
        (folder / f"{name}.svg").write_text(drawing, encoding="utf-8")


def _drawings(found: Report) -> Iterator[tuple[str, str]]:
    for stream in found.online:
        yield f"regret-{stream.name}", regret(stream)
    for sequence in found.sequences:
        yield f"sequences-{sequence.name}", costs_and_qualities(sequence)


def regret(of: OnlineReport) -> str:
    """Mean cumulative regret of every way to learn; below 0 is better than the best fixed arm of hindsight."""
    series = [
        Series(
            mode.replace("_", ", "),
            [(step * of.rounds / CURVE, lost) for step, lost in enumerate(of.modes[mode].curve)],
        )
        for mode in LEARNING
    ]
    return chart(f"{of.name}: regret against the best fixed arm", "tasks", "regret (utility)", series)


def costs_and_qualities(of: SequenceReport) -> str:
    """Every mode at each check, as a share of the strongest arm's cost and a gain in points over it."""
    series = [
        Series(
            mode,
            [(modes[mode].cost_share.mean, 100 * modes[mode].gain.mean) for modes in of.figures.values()],
            [f"{check.right:g}" for check in of.figures],
        )
        for mode in MODES
    ]
    title = f"{of.name}: sequences by the check's share of right answers passed"
    return chart(title, f"cost, as a share of {of.strongest} alone", "gain in quality (points)", series)
