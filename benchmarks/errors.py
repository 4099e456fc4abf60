"""Rows of relative errors: how many, their median, and what nine of ten stay below."""

from collections.abc import Sequence
from statistics import median


def print_header(title: str) -> None:
    """The first line of a table."""
    print(f"{title:<44} {'requests':>9} {'median':>9} {'9 of 10':>9}")


def print_row(name: str, errors: Sequence[float]) -> None:
    """A line of the table."""
    ordered = sorted(errors)
    print(f"{name:<44} {len(ordered):>9,} {median(ordered):>9.1%} {ordered[len(ordered) * 9 // 10]:>9.0%}")
