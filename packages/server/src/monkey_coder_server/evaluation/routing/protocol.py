"""The protocol: routers as curves of cost against quality, and the area under them between two anchors."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import mul
from random import Random
from typing import NamedTuple

from monkey_coder_server.evaluation.routing.data import Row

LAMBDAS = (0.0, *(10 ** (-3 + 8 * step / 240) for step in range(241)))
"""Prices of a dollar in quality, at each of which a router plays its best arm."""
GRID = 200
DRAWS = 300
SEED = 20_261

Numbers = Sequence[float]


class Expectation(NamedTuple):
    """What a router expects of each arm of a set at a row: quality, and cost in USD."""

    qualities: Numbers
    costs: Numbers


class Anchors(NamedTuple):
    """The cheapest arm of the training rows and the one of most quality there; the cheaper of equals."""

    cheap: str
    strong: str


class Point(NamedTuple):
    """Cost and quality, normalised: the cheap anchor is at 0, the strong one at 1."""

    cost: float
    quality: float


class Figures(NamedTuple):
    """Area under the curve, least costs for half and four fifths of the gain, saving at equal quality, gain."""

    apgr: float
    cpt50: float
    cpt80: float
    save: float
    gain: float


class Change(NamedTuple):
    """The rows whose choice changes at a lambda, with the change in cost and in quality."""

    rows: Sequence[int]
    dearer: Numbers
    better: Numbers


@dataclass(frozen=True, slots=True)
class Choices:
    """The arm a router plays at each row for each lambda, as what changes from one lambda to the next.

    So a bootstrap draw of rows is a weighted sum over the changes, and nothing is played again.
    """

    costs: Numbers
    """Each row's cost at the first lambda."""
    qualities: Numbers
    changes: Sequence[Change]

    def curve(self, weights: Numbers) -> list[tuple[float, float]]:
        """Mean cost and quality for each lambda, each row counted as often as its weight says."""
        total, weight = sum(weights), weights.__getitem__
        cost, quality = sum(map(mul, weights, self.costs)), sum(map(mul, weights, self.qualities))
        points = []
        for rows, dearer, better in self.changes:
            if rows:
                counted = [*map(weight, rows)]
                cost += sum(map(mul, counted, dearer))
                quality += sum(map(mul, counted, better))
            points.append((cost / total, quality / total))
        return points


def choices(rows: Sequence[Row], arms: Sequence[str], expected: Sequence[Expectation]) -> Choices:
    """What a router that expects this plays, and what that costs and brings."""
    costs, qualities = [], []
    changes: list[tuple[list[int], list[float], list[float]]] = [([], [], []) for _ in LAMBDAS]
    for number, (row, expectation) in enumerate(zip(rows, expected, strict=True)):
        (_, first), *later = played(expectation)
        now = row.outcomes[arms[first]]
        costs.append(now.cost)
        qualities.append(now.quality)
        for at, arm in later:
            before, now = now, row.outcomes[arms[arm]]
            changed, dearer, better = changes[at]
            changed.append(number)
            dearer.append(now.cost - before.cost)
            better.append(now.quality - before.quality)
    return Choices(costs, qualities, [Change(*each) for each in changes])


def played(expected: Expectation) -> list[tuple[int, int]]:
    """From which lambda on which arm is played: the first of those with the greatest utility."""
    qualities, costs = expected
    arms, at = [*range(len(qualities))], 0
    found: list[tuple[int, int]] = []
    while True:
        utilities = [qualities[arm] - LAMBDAS[at] * costs[arm] for arm in arms]
        best = arms[utilities.index(max(utilities))]
        if not found or found[-1][1] != best:
            found.append((at, best))
        arms = [arm for arm in arms if arm == best or costs[arm] < costs[best]]
        even = [(qualities[best] - qualities[arm]) / (costs[best] - costs[arm]) for arm in arms if arm != best]
        at = max(at + 1, bisect_left(LAMBDAS, min(even))) if even else len(LAMBDAS)
        if at >= len(LAMBDAS):
            return found


@dataclass(frozen=True, slots=True)
class Judge:
    """Rows on which routers are compared between two anchors."""

    rows: Sequence[Row]
    anchors: Anchors
    _anchored: Sequence[tuple[Numbers, Numbers]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        columns = [[row.outcomes[arm] for row in self.rows] for arm in self.anchors]
        anchored = [([each.cost for each in column], [each.quality for each in column]) for column in columns]
        object.__setattr__(self, "_anchored", anchored)

    def figures(self, played: Choices, weights: Numbers | None = None) -> Figures:
        """A router's figures, each row counted as often as its weight says; once without weights."""
        weights = [1.0] * len(self.rows) if weights is None else weights
        (cheap, worse), (strong, better) = self._measured(weights)
        curve, cost_range, quality_range = played.curve(weights), strong - cheap or 1.0, better - worse or 1.0
        line = on_grid(
            [Point((cost - cheap) / cost_range, (quality - worse) / quality_range) for cost, quality in curve]
        )
        equal = [cost for cost, quality in curve if quality >= better]
        return Figures(
            area(line),
            reached(line, 0.5),
            reached(line, 0.8),
            1 - min(equal) / strong if equal and strong else 0.0,
            max(quality for _, quality in curve) - better,
        )

    def _measured(self, weights: Numbers) -> list[tuple[float, float]]:
        """Mean cost and quality of both anchors on the rows."""
        total = sum(weights)
        return [
            (sum(map(mul, weights, costs)) / total, sum(map(mul, weights, qualities)) / total)
            for costs, qualities in self._anchored
        ]

    def interval(self, router: Choices, rival: Choices) -> tuple[float, float]:
        """The 5 to 95 % interval of the router's area less its rival's, over 300 paired draws of rows."""
        random, count = Random(SEED), len(self.rows)
        differences = []
        for _ in range(DRAWS):
            weights = [0.0] * count
            for drawn in random.choices(range(count), k=count):
                weights[drawn] += 1.0
            differences.append(self.figures(router, weights).apgr - self.figures(rival, weights).apgr)
        return quantile(differences, 0.05), quantile(differences, 0.95)


def on_grid(points: Sequence[Point]) -> list[float]:
    """The curve's quality at 201 equally spaced costs from 0 to 1, linear between points, constant past the last."""
    highest: dict[float, float] = {}
    for cost, quality in points:
        highest[cost] = max(quality, highest.get(cost, quality))
    curve = sorted(highest.items())
    if curve[0][0] > 0:
        curve.insert(0, (0.0, 0.0))
    line, right = [], 0
    for step in range(GRID + 1):
        at = step / GRID
        while right < len(curve) and curve[right][0] <= at:
            right += 1
        left_cost, left_quality = curve[right - 1]
        if right == len(curve):
            line.append(left_quality)
        else:
            cost, quality = curve[right]
            line.append(left_quality + (quality - left_quality) * (at - left_cost) / (cost - left_cost))
    return line


def area(line: Numbers) -> float:
    """By the trapezoid rule, over costs from 0 to 1."""
    return (sum(line) - (line[0] + line[-1]) / 2) / (len(line) - 1)


def reached(line: Numbers, quality: float) -> float:
    """The least cost at which the curve reaches a quality; 1 where it never does."""
    return next((step / (len(line) - 1) for step, each in enumerate(line) if each >= quality), 1.0)


def quantile(values: Numbers, share: float) -> float:
    """Linear between the two nearest of the sorted values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def random_mix() -> Figures:
    """Calls dealt out at random between the anchors, whatever is asked: the straight line between them."""
    line = on_grid([Point(0.0, 0.0), Point(1.0, 1.0)])
    return Figures(area(line), reached(line, 0.5), reached(line, 0.8), 0.0, 0.0)


class CallShare(NamedTuple):
    """RouteLLM's axis: area over the share of calls to the strong model, and shares for half and four fifths."""

    apgr: float
    cpt50: float
    cpt80: float


def call_share(rows: Sequence[Row], by: Anchors, gains: Numbers) -> CallShare:
    """A two-model router by the share of its calls to the strong model, rows of most predicted gain first."""
    order = sorted(range(len(rows)), key=lambda row: -gains[row])
    better = [rows[at].outcomes[by.strong].quality - rows[at].outcomes[by.cheap].quality for at in order]
    total = sum(better) or 1.0
    reached_by, sum_so_far = [0.0], 0.0
    for each in better:
        sum_so_far += each
        reached_by.append(sum_so_far / total)
    tenths = [reached_by[round(tenth * len(rows) / 10)] for tenth in range(11)]
    return CallShare(area(tenths), reached(reached_by, 0.5), reached(reached_by, 0.8))
