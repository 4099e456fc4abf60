"""The figures of several processes as those of one: what Prometheus' text format says, read and written again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ADDED = frozenset({"counter", "histogram"})
"""Kinds whose samples are counts: added up, also those of processes that are gone, so that no sum ever falls."""


@dataclass(slots=True)
class _Family:
    """A metric: its two lines of comment, and its samples by name and labels, in their order."""

    comments: list[str]
    kind: str
    samples: dict[str, float] = field(default_factory=dict)


class Sums:
    """Adds counters up; a gauge of each process stays apart, with the label `worker`."""

    def __init__(self) -> None:
        self._gone: dict[str, _Family] = {}

    def retire(self, text: str) -> None:
        """A process ended with these figures: its counts stay in all later sums."""
        for name, family in _families(text):
            if family.kind in ADDED:
                _add(self._gone, name, family)

    def text(self, living: Mapping[str, str]) -> str:
        """Everything, in Prometheus' text format; `living` are the figures of processes by the worker's name."""
        summed: dict[str, _Family] = {}
        for name, family in self._gone.items():
            _add(summed, name, family)
        for worker, text in living.items():
            for name, family in _families(text):
                _add(summed, name, family if family.kind in ADDED else _labelled(family, worker))
        return "".join([_written(family) for family in summed.values()])


def _families(text: str) -> Iterator[tuple[str, _Family]]:
    """Each metric of a text, by its name."""
    name, family = "", _Family([], "")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            if family.comments:
                yield name, family
            name, family = line.split(" ", 3)[2], _Family([line], "")
        elif line.startswith("# TYPE "):
            family.comments.append(line)
            family.kind = line.rsplit(" ", 1)[1]
        elif line:
            key, _, value = line.rpartition(" ")
            family.samples[key] = float(value)
    if family.comments:
        yield name, family


def _add(sums: dict[str, _Family], name: str, family: _Family) -> None:
    known = sums.setdefault(name, _Family(family.comments, family.kind))
    for key, value in family.samples.items():
        known.samples[key] = known.samples.get(key, 0.0) + value


def _labelled(family: _Family, worker: str) -> _Family:
    """The same with the worker's name among the labels of each sample."""
    samples = {}
    for key, value in family.samples.items():
        name, brace, labels = key.partition("{")
        samples[f'{name}{{worker="{worker}",{labels}' if brace else f'{name}{{worker="{worker}"}}'] = value
    return _Family(family.comments, family.kind, samples)


def _written(family: _Family) -> str:
    lines = [*family.comments, *(f"{key} {_number(value)}" for key, value in family.samples.items())]
    return "".join([f"{line}\n" for line in lines])


def _number(value: float) -> str:
    """As Prometheus writes it: infinities with their sign, NaN in its letters."""
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(repr(value), repr(value))
