"""A rival of the product's router: ridge regression of each arm's quality on the kinds a task belongs to.

Kinds nest, so the least of squared errors plus `penalty` times the squares of all weights is found exactly by one pass
from the finest kinds up and one down: what lies below a kind counts for it as rows of one mean quality.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.evaluation.routing.data import Row
from monkey_coder_server.evaluation.routing.protocol import Expectation
from monkey_coder_server.evaluation.routing.routers import Lesson, Predict

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 5

Weights = Mapping[Node, float]


@dataclass(slots=True)
class _Seen:
    """So many rows, or what counts as them, and the sum of their qualities."""

    rows: float = 0.0
    quality: float = 0.0

    def add(self, rows: float, quality: float) -> None:
        self.rows += rows
        self.quality += quality


def ridge(lesson: Lesson) -> Predict:
    """One weight for each kind, language and group, shrunk by the penalty that foretells held-out fifths best."""
    penalty = min(PENALTIES, key=lambda each: _held_out_error(lesson, each))
    weights = _fit(lesson, lesson.rows, penalty)

    def predict(row: Row) -> Expectation:
        return Expectation(_told(weights, lesson.qualities, row), lesson.costs)

    return predict


def _fit(lesson: Lesson, rows: Sequence[Row], penalty: float) -> list[Weights]:
    """The weights of every arm."""
    return [_fit_arm(rows, arm, mean, penalty) for arm, mean in zip(lesson.arms, lesson.qualities, strict=True)]


def _fit_arm(rows: Sequence[Row], arm: str, mean: float, penalty: float) -> Weights:
    seen: defaultdict[Node, _Seen] = defaultdict(_Seen)
    for row in rows:
        if arm in row.outcomes:
            seen[row.context.nodes[-1]].add(1.0, row.outcomes[arm].quality)
            for node in row.context.nodes[1:-1]:
                seen[node].add(0.0, 0.0)
    from_fine_to_coarse = sorted((node for node in seen if node), key=len, reverse=True)
    for node in from_fine_to_coarse:
        below = seen[node]
        passed = penalty / (below.rows + penalty)
        seen[node[:-1]].add(below.rows * passed, below.quality * passed)
    weights: dict[Node, float] = {}
    levels: dict[Node, float] = {(): mean}
    for node in reversed(from_fine_to_coarse):
        level = levels[node[:-1]]
        weights[node] = (seen[node].quality - seen[node].rows * level) / (seen[node].rows + penalty)
        levels[node] = level + weights[node]
    return weights


def _told(weights: Sequence[Weights], means: Sequence[float], row: Row) -> list[float]:
    kinds = row.context.nodes[1:]
    return [mean + sum(each.get(node, 0.0) for node in kinds) for each, mean in zip(weights, means, strict=True)]


def _held_out_error(lesson: Lesson, penalty: float) -> float:
    """The squared error of all arms on each fifth of the training rows, fitted on the other four."""
    fold_of = [crc32(row.item_id.encode()) % FOLDS for row in lesson.rows]
    error = 0.0
    for fold in range(FOLDS):
        rest = [row for row, mine in zip(lesson.rows, fold_of, strict=True) if mine != fold]
        weights = _fit(lesson, rest, penalty)
        for row, mine in zip(lesson.rows, fold_of, strict=True):
            if mine == fold:
                told = zip(lesson.arms, _told(weights, lesson.qualities, row), strict=True)
                error += sum((row.outcomes[arm].quality - each) ** 2 for arm, each in told if arm in row.outcomes)
    return error
