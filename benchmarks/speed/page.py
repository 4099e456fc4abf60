"""The report as text: tables with ratios for the terminal and the page, and bars as SVG."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path

from benchmarks.speed.rounds import Figures

OURS = "Monkey Coder"
_COLUMNS = ("", "CPU ms", "a CPU s", "times ours", "p50 ms", "p99 ms", "added p50", "added p99", "failed")
_ROW = "{:<18} {:>8} {:>9} {:>11} {:>9} {:>9} {:>10} {:>10} {:>8}\n"
_COLOURS = ("#525252", "#15803d", "#0b5fa5", "#c2410c", "#7e22ce")


def heading(*, apart: bool) -> str:
    """What it ran on."""
    core = "a core of its own" if apart else "the one core clients and provider use too"
    python = platform.python_version()
    return (
        f"Speed: medians of interleaved rounds on one upstream; {os.cpu_count()} cores ({_processor()}), "
        f"Python {python}, counting to ten million in {_counting():.2f} s of CPU; what is measured has {core}.\n"
    )


def _counting() -> float:
    """Seconds: the least of five. The same machine may have less of its core left for us tomorrow."""
    return min(_counted() for _ in range(5))


def _counted() -> float:
    begun, total = time.process_time(), 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - begun


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(name: str, figures: Mapping[str, Figures]) -> str:
    """One situation: CPU a request, requests a CPU second and how many times ours that is, latencies."""
    rows = [_ROW.format(*_COLUMNS), *[_ROW.format(*cells) for cells in _cells(figures)]]
    return f"\n{name}\n{''.join(rows)}"


def _cells(figures: Mapping[str, Figures]) -> list[tuple[str, ...]]:
    ours = figures[OURS].per_cpu_second if OURS in figures else 0.0
    return [
        (
            name,
            f"{each.cpu:.3f}" if each.cpu else "",
            f"{each.per_cpu_second:.0f}" if each.cpu else "",
            f"{each.per_cpu_second / ours:.3f}" if each.cpu and ours else "",
            f"{each.p50:.2f}",
            f"{each.p99:.2f}",
            f"{each.added_p50:.2f}" if each.cpu else "",
            f"{each.added_p99:.2f}" if each.cpu else "",
            f"{each.failed}/{each.requests}" if each.failed else "0",
        )
        for name, each in figures.items()
    ]


def weights(measured: Mapping[str, tuple[float, float]]) -> str:
    """Start and memory."""
    row = "{:<18} {:>12} {:>14}\n"
    rows = [row.format(name, f"{ready:.2f} s", f"{memory:.0f} MiB") for name, (ready, memory) in measured.items()]
    return f"\nstart and memory after the run\n{row.format('', 'answers in', 'resident')}{''.join(rows)}"


def write(
    folder: Path,
    figures: Mapping[str, Mapping[str, Figures]],
    measured: Mapping[str, tuple[float, float]],
    ran_on: str,
) -> None:
    """The page `performance-figures.md` and its pictures."""
    parts = [f"# Figures of a run\n\nWritten by `make bench-page`. {ran_on}"]
    parts.append("\n![CPU of a request](performance-cpu.svg)\n\n![Added latency](performance-added.svg)\n")
    for name, each in figures.items():
        parts.append(f"\n## {name}\n\n")
        parts.append(_markdown(_COLUMNS, _cells(each)))
    started = [(name, f"{ready:.2f}", f"{memory:.0f}") for name, (ready, memory) in measured.items()]
    parts.append(f"\n## Start and memory\n\n{_markdown(('', 'answers in, s', 'resident, MiB'), started)}")
    (folder / "performance-figures.md").write_text("".join(parts), encoding="utf-8")
    cpu = {name: {stack: each.cpu for stack, each in found.items() if each.cpu} for name, found in figures.items()}
    added = {
        name: {stack: each.added_p50 for stack, each in found.items() if each.cpu} for name, found in figures.items()
    }
    (folder / "performance-cpu.svg").write_text(bars("CPU of a request, ms", cpu), encoding="utf-8")
    (folder / "performance-added.svg").write_text(bars("added p50, ms", added), encoding="utf-8")


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Groups of horizontal bars on a logarithmic scale from 0.01 to 10,000, each with its figure."""
    names = list(dict.fromkeys(stack for group in groups.values() for stack in group))
    parts, top = list[str](), 40
    for group, figures in groups.items():
        parts.append(f'<text x="12" y="{top + 4}" font-weight="bold">{escape(group)}</text>')
        for stack, figure in figures.items():
            top += 18
            length = max(_length(figure), 1.0)
            colour = _COLOURS[names.index(stack) % len(_COLOURS)]
            parts.append(f'<text x="12" y="{top + 4}">{escape(stack)}</text>')
            parts.append(f'<rect x="140" y="{top - 7}" width="{length:.1f}" height="13" fill="{colour}"/>')
            parts.append(f'<text x="{146 + length:.1f}" y="{top + 4}">{figure:.3g}</text>')
        top += 30
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {top}" font-family="sans-serif" font-size="12">\n'
        f'<title>{escape(title)}</title>\n<rect width="640" height="{top}" fill="white"/>\n'
        f'<text x="12" y="20" font-weight="bold">{escape(title)} (logarithmic)</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _length(figure: float) -> float:
    return 70 * (log10(max(figure, 0.01)) + 2)
