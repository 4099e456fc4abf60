"""Shares of pairs taken for one, with what chance leaves open, and the limit that follows from them."""

from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import NamedTuple

LIMITS = tuple(limit / 100 for limit in range(60, 100))
MOST_WRONG = 0.005
"""Of pairs that ask something else, so many may be taken for one at most, with all that must agree."""
MOST_BY_VECTORS = 0.05
"""Of the nearest other tasks, so many may be taken for one by the vectors alone."""
_Z = 1.959964
"""Of a normal distribution: 95 % lie within so many deviations."""


class Seen(NamedTuple):
    """A pair with the cosine of its vectors, and whether what must agree does."""

    kind: str
    similarity: float
    same: bool
    agrees: bool


class Share(NamedTuple):
    """`taken` of `all`."""

    taken: int
    all: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Within which the true share lies, 95 times in 100 (Wilson's interval)."""
        if not self.all:
            return 0.0, 1.0
        share, weight = self.taken / self.all, _Z * _Z / self.all
        middle = (share + weight / 2) / (1 + weight)
        half = _Z * sqrt(share * (1 - share) / self.all + weight / (4 * self.all)) / (1 + weight)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.bounds
        return f"{self.taken}/{self.all} = {self.taken / max(1, self.all):.1%} ({low:.1%} to {high:.1%})"


def share(seen: Iterable[Seen], taken: Callable[[Seen], bool]) -> Share:
    """How many are taken for one."""
    told = [taken(each) for each in seen]
    return Share(sum(told), len(told))


def taken(limit: float, *, guarded: bool) -> Callable[[Seen], bool]:
    """Whether a pair is taken for one at that limit; `guarded`: what must agree counts too."""
    return lambda seen: seen.similarity >= limit and (seen.agrees or not guarded)


def lowest_limit(pairs: Sequence[Seen], neighbours: str) -> float:
    """The lowest limit that is safe enough, both with all that must agree and, of `neighbours`, without it.

    The upper ends of both intervals count. Raises `ValueError` where no limit is.
    """
    other = [each for each in pairs if not each.same]
    nearest = [each for each in other if each.kind == neighbours]
    for limit in LIMITS:
        wrong = share(other, taken(limit, guarded=True)).bounds[1]
        if wrong <= MOST_WRONG and share(nearest, taken(limit, guarded=False)).bounds[1] <= MOST_BY_VECTORS:
            return limit
    raise ValueError("no limit is safe enough")
