"""What the words of a task say about how far apart the arms are: one score of the text, with a loading for each arm.

The score is a ridge regression on hashed words. Its target is how much better the stronger arms did at a task than
was expected of them, over the weaker ones; so one score serves every arm, whether each task was tried by all or by one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from operator import mul

from monkey_coder_server.domain.bandit.text import BUCKETS, COUNTS, Text

STIFFNESS = 10.0
"""Squared weights are charged this much against squared errors."""
COUNT_SCALE = 0.1
"""The standard deviation of each count, where that of a text's words together is at most 1."""
STEPS = 30
ENOUGH = 1e-3
"""Conjugate gradients stop after so many steps, or once the residual is so small a part of what it was."""

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Direction:
    """A weight for each bucket and each count of a text, and what is added."""

    words: Sequence[float]
    counts: Sequence[float]
    offset: float

    def score(self, text: Text) -> float:
        """What the text says, in units of the target."""
        words = sum(map(self.words.__getitem__, text.buckets)) / sqrt(len(text.buckets) or 1)
        counts: float = sum(map(mul, self.counts, text.counts))
        return words + counts + self.offset


def loadings(strengths: Mapping[str, float]) -> dict[str, float]:
    """How far each arm stands above the mean, in standard deviations; nothing when all are alike."""
    values = [*strengths.values()]
    middle, spread = _middle(values), _spread(values)
    return {arm: (each - middle) / spread if spread else 0.0 for arm, each in strengths.items()}


def fit(texts: Sequence[Text], targets: Sequence[float], weights: Sequence[float]) -> Direction:
    """The direction that misses the targets least, each miss squared and weighed."""
    columns = list(zip(*(text.counts for text in texts), strict=True))
    middles = [_middle(column) for column in columns]
    scales = [COUNT_SCALE / spread if (spread := _spread(column)) else 0.0 for column in columns]
    design = _Design(texts, weights, middles, scales)
    found = _solve(design, [target * sqrt(weight) for target, weight in zip(targets, weights, strict=True)])
    counts = [weight * scale for weight, scale in zip(found[BUCKETS:], scales, strict=True)]
    return Direction(found[:BUCKETS], counts, -sum(map(mul, counts, middles)))


class _Design:
    """The features of all texts as a sparse matrix, each row times the square root of its weight."""

    def __init__(
        self, texts: Sequence[Text], weights: Sequence[float], middles: Sequence[float], scales: Sequence[float]
    ) -> None:
        roots = [sqrt(weight) for weight in weights]
        self._rows = [tuple(text.buckets) for text in texts]
        self._scales = [root / sqrt(len(text.buckets) or 1) for text, root in zip(texts, roots, strict=True)]
        holders: defaultdict[int, list[int]] = defaultdict(list)
        for row, buckets in enumerate(self._rows):
            for bucket in buckets:
                holders[bucket].append(row)
        self._holders = sorted(holders.items())
        self._counts = [
            [root * scale * (count - middle) for count, middle, scale in zip(text.counts, middles, scales, strict=True)]
            for text, root in zip(texts, roots, strict=True)
        ]
        self._columns = list(zip(*self._counts, strict=True))

    def times(self, vector: Vector) -> Vector:
        """One number a row."""
        word, tail = vector.__getitem__, vector[BUCKETS:]
        return [
            scale * sum(map(word, buckets)) + sum(map(mul, counts, tail))
            for scale, buckets, counts in zip(self._scales, self._rows, self._counts, strict=True)
        ]

    def transposed_times(self, rows: Vector) -> Vector:
        """One number a feature."""
        scaled = [*map(mul, self._scales, rows)].__getitem__
        found = [0.0] * (BUCKETS + COUNTS)
        for bucket, holders in self._holders:
            found[bucket] = sum(map(scaled, holders))
        found[BUCKETS:] = [sum(map(mul, column, rows)) for column in self._columns]
        return found


def _solve(design: _Design, targets: Vector) -> Vector:
    """Ridge regression by conjugate gradients on its normal equations."""
    residual = design.transposed_times(targets)
    found, step = [0.0] * len(residual), residual
    size = first = _square(residual)
    for _ in range(STEPS):
        if size <= ENOUGH * ENOUGH * first:
            break
        bent = design.transposed_times(design.times(step))
        bent = [each + STIFFNESS * along for each, along in zip(bent, step, strict=True)]
        length = size / sum(map(mul, step, bent))
        found = [each + length * along for each, along in zip(found, step, strict=True)]
        residual = [each - length * back for each, back in zip(residual, bent, strict=True)]
        before, size = size, _square(residual)
        step = [each + size / before * along for each, along in zip(residual, step, strict=True)]
    return found


def _middle(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(values: Sequence[float]) -> float:
    middle = _middle(values)
    return sqrt(sum([(each - middle) ** 2 for each in values]) / len(values))


def _square(vector: Vector) -> float:
    return sum([each * each for each in vector])
