"""What a router is here: something that learns from training rows and then expects something of each arm at a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_server.evaluation.routing.data import Row, Set
from monkey_coder_server.evaluation.routing.protocol import Anchors, Expectation
from monkey_coder_server.evaluation.routing.splits import Split

Predict = Callable[[Row], Expectation]
Train = Callable[["Lesson"], Predict]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a router may learn from: training rows, the arms it will choose from, and their mean costs in USD."""

    rows: Sequence[Row]
    arms: Sequence[str]
    costs: Sequence[float]
    qualities: Sequence[float]
    """Mean quality of each arm over the training rows; of one never tried, that of all together."""


def lesson(of: Set, split: Split, prices: Mapping[tuple[str, str], float]) -> Lesson:
    """The training rows of a split with the arms' means. An arm never tried costs its list price, else the mean."""
    tried = [[row.outcomes[arm] for row in split.train if arm in row.outcomes] for arm in of.arms]
    means = [
        (sum(each.quality for each in several) / len(several), sum(each.cost for each in several) / len(several))
        for several in tried
        if several
    ]
    middle = tuple(sum(column) / len(means) for column in zip(*means, strict=True)) or (0.5, 0.0)
    benchmark = of.rows[0].benchmark
    qualities, costs, known = [], [], iter(means)
    for arm, several in zip(of.arms, tried, strict=True):
        quality, cost = next(known) if several else (middle[0], prices.get((benchmark, arm), middle[1]))
        qualities.append(quality)
        costs.append(cost)
    return Lesson(split.train, of.arms, costs, qualities)


def expectations(
    of: Set, splits: Sequence[Split], prices: Mapping[tuple[str, str], float], train: Train
) -> list[Expectation]:
    """What a router expects at each row of the set, trained on each split's other rows."""
    found: list[Expectation | None] = [None] * len(of.rows)
    for split in splits:
        taught = lesson(of, split, prices)
        predict = train(taught)
        for place in split.test:
            found[place] = predict(of.rows[place])
    return [each for each in found if each is not None]


def anchors(of: Set, splits: Sequence[Split], prices: Mapping[tuple[str, str], float]) -> Anchors:
    """The arm of least cost and the one of most quality, by all training rows together; the cheaper of equals."""
    seen = {row.item_id: row for split in splits for row in split.train}
    taught = lesson(of, Split([*seen.values()], ()), prices)
    arms = range(len(of.arms))
    cheap = min(arms, key=lambda arm: taught.costs[arm])
    strong = min(arms, key=lambda arm: (-taught.qualities[arm], taught.costs[arm]))
    return Anchors(of.arms[cheap], of.arms[strong])
