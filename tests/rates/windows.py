"""How much was granted within any 60 seconds, and how much at once."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from monkey_coder_server.domain.quota import WINDOW


class Grant(NamedTuple):
    """So much was granted, at some moment from `earliest` to `latest`: seconds of one clock."""

    earliest: float
    latest: float
    amount: int = 1


def most_within(grants: Iterable[Grant], seconds: float = WINDOW) -> int:
    """The most that was surely granted within so many seconds: at no other moment than within them."""
    rows = sorted(grants, key=lambda grant: grant.latest)
    earliest = sorted((row.earliest, row.amount) for row in rows)
    begun, before = [moment for moment, _ in earliest], _sums(amount for _, amount in earliest)
    until = _sums(row.amount for row in rows)
    return max(
        (until[place] - before[bisect_left(begun, row.latest - seconds)] for place, row in enumerate(rows, start=1)),
        default=0,
    )


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """How many lasted at the same moment at most; one that ends as another begins made room for it."""
    steps = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    return max(accumulate(step for _, step in steps), default=0)


def _sums(amounts: Iterable[int]) -> Sequence[int]:
    """The sum of so many of them, from none to all."""
    return [0, *accumulate(amounts)]
