"""Writes docs/reference/matrix.md from what became of the cells."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.matrix.cells import Place
from tests.matrix.drivers import DIALECTS
from tests.matrix.models import COLUMNS, Limit, limit_of
from tests.matrix.outcomes import ORDERED

TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "matrix.md"
TITLES = {
    "chat": "OpenAI chat completions, by the `openai` SDK",
    "responses": "OpenAI responses, by the `openai` SDK",
    "messages": "Anthropic messages, by the `anthropic` SDK",
    "gemini": "Gemini generateContent, by the `google-genai` SDK",
}
KINDS = {
    "refused": "Refused with the dialect's error for a bad request.",
    "dropped": "Answered without it; the header `x-monkey-dropped` names it.",
    "hidden": "Done and billed, not shown.",
    "inline": "Done; it stands in the text.",
    "worded": "Asked for in words.",
    "plain": "Nothing but the words tells it from any other answer.",
    "empty": "An answer without a word that says so in its finish reason.",
}
_INTRODUCTION = """# What works in which dialect over which provider

Written by a run of `tests/matrix`: the official SDK of each dialect drives a gateway over the simulators of all seven
providers, and every cell compares text, calls, finish reason, usage and cost with what was said and what was booked. A
test holds this page to its last run; `MATRIX_WRITE=1 pytest tests/matrix` writes it.

✓ works. A number is a limit, listed below; the run asserts that the limit shows as the list says, and no other way.
"""


def page(broken: Iterable[Place] = ()) -> str:
    """The page; ✗ for cells that failed."""
    failed, limits = set(broken), list(dict.fromkeys(_limits()))
    parts = [_INTRODUCTION.strip()]
    for dialect in DIALECTS:
        parts += [f"## {TITLES[dialect]}", _table(dialect, limits, failed)]
    notes = [f"{number}. {limit.reason}. {KINDS[limit.kind]}" for number, limit in enumerate(limits, 1)]
    parts += ["## Limits", "\n".join(notes)]
    return "\n\n".join(parts) + "\n"


def _limits() -> Iterator[Limit]:
    for scenario in ORDERED:
        for dialect in DIALECTS:
            for column in COLUMNS:
                if limit := limit_of(dialect, column, scenario):
                    yield limit


def _table(dialect: str, limits: list[Limit], failed: set[Place]) -> str:
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for scenario in ORDERED:
        cells = [_cell(Place(scenario, dialect, column), limits, failed) for column in COLUMNS]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(place: Place, limits: list[Limit], failed: set[Place]) -> str:
    if place in failed:
        return "✗"
    limit = limit_of(place.dialect, place.column, place.scenario)
    return "✓" if limit is None else str(limits.index(limit) + 1)
