"""What rounds on one or two databases came to, as tables."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.kills.points import POINTS
from tests.kills.series import Series

TOGETHER = "together"


def summary(every: Sequence[Series]) -> str:
    """Deaths by point, figures, and checks: these are 0 when money was right."""
    heads = [series.database for series in every] + [TOGETHER]
    figures = [{"requests of the dead ended by the survivor": one.adopted, **one.findings.figures} for one in every]
    checks = [{name: _count(found) for name, found in one.checks.items()} for one in every]
    parts = [
        _row("died at", heads),
        *_rows([_deaths(one) for one in every]),
        *_rows([_elsewhere(one) for one in every]),
        _row("\nfound", heads),
        *_rows(figures),
        _row("\nmust be 0", heads),
        *_rows(checks),
    ]
    return "\n".join(parts)


def _deaths(series: Series) -> dict[str, int]:
    died = Counter(lived.point.name for lived in series.rounds if lived.reached)
    return {point.name: died[point.name] for point in POINTS}


def _elsewhere(series: Series) -> dict[str, int]:
    missed = sum(not lived.reached for lived in series.rounds)
    return {"(elsewhere: not passed so often)": missed, "rounds": len(series.rounds)}


def _count(found: Any) -> int:
    """How many were found: lists are of findings, numbers are amounts."""
    return found if isinstance(found, int) else len(found)


def _rows(columns: Sequence[Mapping[str, int]]) -> Iterator[str]:
    for name in columns[0]:
        values = [column[name] for column in columns]
        yield _row(name, [f"{value:,}" for value in (*values, sum(values))])


def _row(name: str, values: Sequence[str]) -> str:
    return f"{name:42}" + "".join(f"{value:>18}" for value in values)
