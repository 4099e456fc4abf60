"""The protocol: routers as curves of cost against quality, and the area under them between two anchors."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Choices:
    """The arm a router plays at each row for each lambda, as what changes from one lambda to the next.

    `start` is each row's cost and quality at the first lambda; `steps` are, for each lambda, the rows whose choice
    changes there with the change in cost and in quality.
    """

    start: Sequence[tuple[float, float]]
    steps: Sequence[Sequence[tuple[int, float, float]]]

    def curve(self, weights: Numbers) -> list[tuple[float, float]]:
        """Mean cost and quality for each lambda, each row counted as often as its weight says."""
        total = sum(weights)
        cost = sum(weight * each[0] for weight, each in zip(weights, self.start, strict=True))
        quality = sum(weight * each[1] for weight, each in zip(weights, self.start, strict=True))
        points = []
        for changes in self.steps:
            for row, dearer, better in changes:
                weight = weights[row]
                if weight:
                    cost += weight * dearer
                    quality += weight * better
            points.append((cost / total, quality / total))
        return points


def choices(rows: Sequence[Row], arms: Sequence[str], expected: Sequence[Expectation]) -> Choices:
    """What a router that expects this plays, and what that costs and brings."""
    start: list[tuple[float, float]] = []
    steps: list[list[tuple[int, float, float]]] = [[] for _ in LAMBDAS]
    for number, (row, expectation) in enumerate(zip(rows, expected, strict=True)):
        outcomes = [row.outcomes[arm] for arm in arms]
        before = None
        for at, arm in _played(expectation):
            now = outcomes[arm]
            if before is None:
                start.append((now.cost, now.quality))
            else:
                steps[at].append((number, now.cost - before.cost, now.quality - before.quality))
            before = now
    return Choices(start, steps)


def _played(expected: Expectation) -> list[tuple[int, int]]:
    """From which lambda on which arm is played: the first of those with the greatest utility."""
    qualities, costs = expected
    played: list[tuple[int, int]] = []
    candidates = [*range(len(qualities))]
    for at, rate in enumerate(LAMBDAS):
        best = max(candidates, key=lambda arm: qualities[arm] - rate * costs[arm])
        if not played or played[-1][1] != best:
            played.append((at, best))
            candidates = [arm for arm in range(len(qualities)) if costs[arm] <= costs[best]]
            if len(candidates) == 1:
                break
    return played


@dataclass(frozen=True, slots=True)
class Judge:
    """Rows on which routers are compared between two anchors."""

    rows: Sequence[Row]
    arms: Sequence[str]
    anchors: Anchors

    def figures(self, played: Choices, weights: Numbers | None = None) -> Figures:
        """A router's figures, each row counted as often as its weight says; once without weights."""
        weights = [1.0] * len(self.rows) if weights is None else weights
        (cheap, worse), (strong, better) = self._means(weights)
        curve = played.curve(weights)
        points = [
            Point((cost - cheap) / ((strong - cheap) or 1.0), (quality - worse) / ((better - worse) or 1.0))
            for cost, quality in curve
        ]
        line = on_grid(points)
        equal = [cost for cost, quality in curve if quality >= better]
        return Figures(
            area(line),
            reached(line, 0.5),
            reached(line, 0.8),
            1 - min(equal) / strong if equal and strong else 0.0,
            max(quality for _, quality in curve) - better,
        )

    def _means(self, weights: Numbers) -> list[tuple[float, float]]:
        total = sum(weights)
        means = []
        for arm in self.anchors:
            outcomes = [row.outcomes[arm] for row in self.rows]
            pairs = [*zip(weights, outcomes, strict=True)]
            means.append((sum(w * each.cost for w, each in pairs) / total, sum(w * each.quality for w, each in pairs) / total))
        return means

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
