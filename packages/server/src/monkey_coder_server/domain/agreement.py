"""Which of several answers say the same: those whose lines are nearly all shared, whatever their spacing."""

from collections import Counter
from collections.abc import Sequence

SAME = 0.8
"""Two answers agree when they share so much of the lines they have between them."""


def groups(texts: Sequence[str]) -> list[list[int]]:
    """The places of texts that agree with the first of their group, in the order groups appear."""
    found: list[list[int]] = []
    leaders: list[Counter[str]] = []
    for place, text in enumerate(texts):
        lines = _lines(text)
        for group, leader in zip(found, leaders, strict=True):
            if _shared(lines, leader) >= SAME:
                group.append(place)
                break
        else:
            found.append([place])
            leaders.append(lines)
    return found


def _lines(text: str) -> Counter[str]:
    return Counter(" ".join(line.split()).casefold() for line in text.splitlines() if line.strip())


def _shared(one: Counter[str], other: Counter[str]) -> float:
    """Lines of both over lines of either, repeated ones counted; 1 for two empty texts."""
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0
