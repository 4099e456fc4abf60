"""Rivals of the product's router: the best mix without reading, means of kinds, the nearest neighbours, the oracle."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import nlargest

from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.domain.bandit.text import Text
from monkey_coder_server.evaluation.routing.data import Row
from monkey_coder_server.evaluation.routing.protocol import Expectation
from monkey_coder_server.evaluation.routing.routers import Lesson, Predict

NEIGHBOURS = 40
PSEUDO_NEIGHBOURS = 5
"""The mean of the training rows counts as so many neighbours."""
REMEMBERED = 2_000
"""Training rows that are searched: an even sample of more."""
PSEUDO_ROWS = 20
"""The mean of all training rows counts as so many of a kind."""
TOO_COMMON = 0.1
"""Words in more than this share of the rows tell no neighbours."""


def static(lesson: Lesson) -> Predict:
    """The training mean, whatever is asked: its curve is the static hull."""
    expectation = Expectation(lesson.qualities, lesson.costs)
    return lambda _: expectation


def kind_mean(lesson: Lesson) -> Predict:
    """The mean of the training rows of the task's finest kind, towards the mean of all: no model at all."""
    seen: dict[tuple[Node, str], list[float]] = {}
    for row in lesson.rows:
        for arm, outcome in row.outcomes.items():
            seen.setdefault((row.context.nodes[-1], arm), []).append(outcome.quality)

    def predict(row: Row) -> Expectation:
        kinds = [seen.get((row.context.nodes[-1], arm), ()) for arm in lesson.arms]
        qualities = [
            (PSEUDO_ROWS * mean + sum(several)) / (PSEUDO_ROWS + len(several))
            for mean, several in zip(lesson.qualities, kinds, strict=True)
        ]
        return Expectation(qualities, lesson.costs)

    return predict


def oracle(lesson: Lesson) -> Predict:
    """Knows every outcome and its cost."""
    return lambda row: Expectation(
        [row.outcomes[arm].quality for arm in lesson.arms], [row.outcomes[arm].cost for arm in lesson.arms]
    )


def nearest(lesson: Lesson) -> Predict:
    """The mean of the 40 training rows nearest by the cosine of their hashed words, towards the mean of all."""
    told = [row for row in lesson.rows if row.context.text is not None and row.outcomes.keys() >= set(lesson.arms)]
    step = max(1, len(told) // REMEMBERED)
    memory = _Memory(told[::step][:REMEMBERED], lesson.arms)

    def predict(row: Row) -> Expectation:
        near = [] if row.context.text is None else memory.nearest(row.context.text)
        rows = PSEUDO_NEIGHBOURS + len(near)
        qualities = [
            (PSEUDO_NEIGHBOURS * mean + sum(each[place] for each in near)) / rows
            for place, mean in enumerate(lesson.qualities)
        ]
        return Expectation(qualities, lesson.costs)

    return predict


class _Memory:
    """Training rows by the words they hold."""

    def __init__(self, rows: Sequence[Row], arms: Sequence[str]) -> None:
        self._qualities = [[row.outcomes[arm].quality for arm in arms] for row in rows]
        holders: defaultdict[int, list[int]] = defaultdict(list)
        self._sizes = []
        for place, row in enumerate(rows):
            buckets = row.context.text.buckets if row.context.text else ()
            self._sizes.append(max(1, len(buckets)) ** 0.5)
            for bucket in buckets:
                holders[bucket].append(place)
        self._holders = {bucket: places for bucket, places in holders.items() if len(places) <= TOO_COMMON * len(rows)}

    def nearest(self, text: Text) -> list[list[float]]:
        """The qualities of the arms at the rows most alike."""
        shared: Counter[int] = Counter()
        for bucket in text.buckets:
            shared.update(self._holders.get(bucket, ()))
        alike = [(count / self._sizes[place], place) for place, count in shared.items()]
        return [self._qualities[place] for _, place in nlargest(NEIGHBOURS, alike)]
