"""The collapse to one arm: how probably each is the best, by what is believed of them, and a draw by these shares.

Drawing a utility of each arm from its normal belief and playing the greatest is Thompson's rule. Here the share with
which that plays each arm is computed instead, so that it can be logged, limited and kept for like requests; a draw is
then one uniform number.

With F the probability that all utilities are below a point, an arm is the greatest with the integral of F over the
logarithm of its own distribution. Between two points that logarithm is taken to grow in a fixed proportion to the
others', so the shares add up to what F grows, however far apart the points; these lie where the beliefs have mass.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import erfc, exp2, log2, sqrt
from operator import mul, sub

from monkey_coder_server.domain.bandit.posterior import Belief

UNPROVEN_SHARE = 0.05
"""Of the requests, for all arms together of which too little is known."""
PROVEN_ROWS = 10.0
"""Of an arm whose outcomes weigh less too little is known."""
DRAWN_SPREAD = 0.5
"""The part of their spread that beliefs are drawn with: with all of it too much is tried for a thousand tasks."""
_REACH = 3.0
"""Standard deviations from the mean past which a belief is held to have no mass."""
_POINTS = 20
"""At most so many are used, evenly of all that are asked for."""
_NARROWEST = 1e-6
"""Standard deviations are held to at least this."""
_ROOT_OF_2 = sqrt(2)

_Rival = tuple[int, float, float]
"""An arm that may be the best: its place, mean and standard deviation."""


def best_probabilities(utilities: Sequence[Belief]) -> list[float]:
    """The probability that each arm's utility is the greatest, within about 0.01; they sum to 1."""
    floor = max([mean - _REACH * spread for mean, spread in utilities])
    rivals = [
        (place, mean, max(_NARROWEST, spread))
        for place, (mean, spread) in enumerate(utilities)
        if mean + _REACH * spread >= floor
    ]
    points = _points(rivals, floor)
    rows = _logs_of_twice_below(rivals, points)
    logs = [each - len(rivals) for each in map(sum, zip(*rows, strict=True))]
    below = [*map(exp2, logs)]
    rates = [
        (above - under) / (high - low or 1.0)
        for under, above, low, high in zip(below, below[1:], logs, logs[1:], strict=False)
    ]
    weights = [*map(sub, [0.0, *rates], [*rates, 0.0])]
    found = [0.0] * len(utilities)
    for (place, _, _), row in zip(rivals, rows, strict=True):
        found[place] = max(0.0, sum(map(mul, weights, row)))
    total = sum(found)
    return [each / total for each in found]


def limited(utilities: Sequence[Belief], proven: Sequence[bool], share: float = UNPROVEN_SHARE) -> list[float]:
    """The probabilities of being best, those of all arms that are not proven together held to a share.

    What they lose goes to the proven arms as if there were no others. Where no arm is proven nothing is held.
    """
    free = best_probabilities(utilities)
    unproven = sum(each for each, known in zip(free, proven, strict=True) if not known)
    if unproven <= share or not any(proven):
        return free
    kept = share / unproven
    among = iter(best_probabilities([each for each, known in zip(utilities, proven, strict=True) if known]))
    return [(1 - share) * next(among) if known else kept * each for each, known in zip(free, proven, strict=True)]


def drawn(probabilities: Sequence[float], uniform: float) -> int:
    """The place of the arm to play, by a uniform number from 0 up to but not 1; never one of probability 0."""
    sums = [*accumulate(probabilities)]
    last = bisect_left(sums, sums[-1])
    return bisect_right(sums, uniform * sums[-1], 0, last)


def _points(rivals: Sequence[_Rival], floor: float) -> list[float]:
    top = max([mean + _REACH * spread for _, mean, spread in rivals])
    asked: list[float] = []
    for _, mean, spread in rivals:  # where each belief has its mass; written out, as a loop takes longer
        far, third, half = 2.6 * spread, 1.7 * spread, 0.45 * spread
        asked += (
            mean - far,
            mean - third,
            mean - spread,
            mean - half,
            mean,
            mean + half,
            mean + spread,
            mean + third,
            mean + far,
        )
    asked.sort()
    inside = asked[bisect_right(asked, floor) :]
    step = -(-len(inside) // _POINTS) or 1
    return [floor, *inside[step // 2 :: step], top]


def _logs_of_twice_below(rivals: Sequence[_Rival], points: Sequence[float]) -> list[list[float]]:
    """For each rival the logarithm to base 2 of twice the probability of being below each point."""
    narrow = [(mean, 1 / (spread * _ROOT_OF_2)) for _, mean, spread in rivals]
    doubts = [(mean - point) * each for mean, each in narrow for point in points]
    logs, count = [*map(log2, map(erfc, doubts))], len(points)
    return [logs[start : start + count] for start in range(0, len(logs), count)]
