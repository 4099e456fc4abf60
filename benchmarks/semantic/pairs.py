"""Pairs of requests of which is known whether they ask the same."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from benchmarks.semantic.edits import changed
from benchmarks.semantic.rewordings import reworded

_FOLDER = Path(__file__).parent
SEED = 8
EDITIONS, NEIGHBOURS = "two editions", "nearest others"
_JUDGED = {"same": True, "unsure": None, "other": False}
NEAREST = 3
"""Of each task of MBPP so many others are taken that lie nearest to it."""


class Pair(NamedTuple):
    """`kind` says where it is from; `same`: an answer to one is an answer to the other."""

    kind: str
    one: str
    other: str
    same: bool


def tasks() -> Sequence[str]:
    """Of MBPP, each wording once."""
    return _lines("mbpp.txt")


def questions() -> Sequence[str]:
    """Of GSM8K."""
    return _lines("gsm8k.txt")


def judged() -> Mapping[frozenset[str], bool | None]:
    """Pairs that were read and judged; None where that could not be said. What is not the same is no task of MBPP."""
    told = (line.split("\t") for line in _lines("judged.tsv"))
    return {frozenset((one, other)): _JUDGED[word] for word, one, other in told}


def of_people(vectors: Mapping[str, Sequence[float]]) -> Iterator[Pair]:
    """Two editions of one task, and tasks beside those that are nearest to them."""
    said, told = judged(), tasks()
    for pair, same in said.items():
        if same is not None:
            one, other = sorted(pair)
            yield Pair(EDITIONS if same else "written against it", one, other, same=same)
    table = np.array([vectors[each] for each in told])
    near = set[frozenset[str]]()
    for task, close in zip(told, table @ table.T, strict=True):
        others = (told[at] for at in np.argsort(-close) if told[at] != task)
        near.update(islice((pair for other in others if (pair := frozenset((task, other))) not in said), NEAREST))
    for one, other in sorted(map(sorted, near)):
        yield Pair(NEIGHBOURS, one, other, same=False)


def made() -> Iterator[Pair]:
    """By a seeded generator: rewordings that keep the meaning, and edits as small as can be that do not."""
    chance = Random(SEED)
    for source, texts in (("MBPP", tasks()), ("GSM8K", questions())):
        for text in texts:
            for steps in (1, 2, 3):
                other = reworded(text, steps, chance)
                if other != text:
                    yield Pair(f"{source}, {steps} changed", text, other, same=True)
            for kind, other in changed(text, chance):
                yield Pair(f"{source}, {kind}", text, other, same=False)


def _lines(name: str) -> Sequence[str]:
    return (_FOLDER / name).read_text(encoding="utf-8").splitlines()
