"""Which rows a router is trained on before it predicts which: five folds, or rows apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monkey_coder_server.evaluation.routing.data import FOLDS, Row, Set, fold_of, set_of


@dataclass(frozen=True, slots=True)
class Split:
    """Training rows, and the places in the set of the rows that are predicted."""

    train: Sequence[Row]
    test: Sequence[int]


def five_folds(of: Set) -> Iterator[Split]:
    """Each fold predicted by the four others."""
    folds = [fold_of(row.item_id) for row in of.rows]
    for fold in range(FOLDS):
        train = [row for row, at in zip(of.rows, folds, strict=True) if at != fold]
        test = [place for place, at in enumerate(folds) if at == fold]
        if test:
            yield Split(train, test)


def apart(of: Set, train: Sequence[Row]) -> Split:
    """All rows predicted from others: those of the same set, or where there are none, any that the arms tried."""
    arms = set(of.arms)
    same = [row for row in train if set_of(row.benchmark) == of.name and arms & row.outcomes.keys()]
    return Split(same or [row for row in train if arms & row.outcomes.keys()], range(len(of.rows)))
