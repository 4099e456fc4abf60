"""Watches every arm for change where many groups tell outcomes: each group's own, and that of all of them together.

What one group sees change is given up of what it told. What is given up of everybody's takes more than one group: none
counts in that sum for as much as would pass the limit, however much it tells.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from monkey_coder_server.domain.bandit.drift import Drift

MOST_OF_A_GROUP = 4.0
"""Outcomes of a group in the sum of all since that last stood at 0: at worst they come to 3.6 of the limit of 4."""
MOST_WATCHED = 20_000
"""Arms of groups; the one longest without an outcome is forgotten."""


class Change(NamedTuple):
    """An arm has become worse: to a group, or to all (None). `left` is the share of its quality that it still has."""

    group: str | None
    left: float


class Watched(NamedTuple):
    """How far both sums of an arm stand from 0; past the limit of `drift` it is held to have changed."""

    group: float
    everybody: float


@dataclass(slots=True)
class _All:
    drift: Drift = field(default_factory=Drift)
    counted: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Watch:
    """The sums of one process."""

    _groups: OrderedDict[tuple[str, str], Drift] = field(default_factory=OrderedDict)
    _all: dict[str, _All] = field(default_factory=dict)

    def learn(self, group: str, arm: str, expected: float, quality: float, weight: float) -> Change | None:
        """Count an outcome beside the quality that this group could expect of the arm; the change it shows, if any."""
        place = (group, arm)
        own = self._groups.pop(place, None) or Drift()
        own_changed = own.learn(expected, quality, weight)
        self._groups[place] = own
        if len(self._groups) > MOST_WATCHED:
            self._groups.popitem(last=False)
        everybody = self._all.setdefault(arm, _All())
        counted = everybody.counted.get(group, 0.0)
        weight = min(weight, MOST_OF_A_GROUP - counted)
        if everybody.drift.learn(expected, quality, weight):
            self._forget(arm)
            return Change(None, everybody.drift.left)
        if everybody.drift.shortfall:
            everybody.counted[group] = counted + weight
        else:
            everybody.counted.clear()
        if own_changed:
            del self._groups[place]
            return Change(group, own.left)
        return None

    def of(self, group: str, arm: str) -> Watched:
        """Where the sums of an arm stand."""
        own, everybody = self._groups.get((group, arm)), self._all.get(arm)
        return Watched(
            own.shortfall if own is not None else 0.0, everybody.drift.shortfall if everybody is not None else 0.0
        )

    def _forget(self, arm: str) -> None:
        """Begin anew with an arm that has changed."""
        del self._all[arm]
        for place in [place for place in self._groups if place[1] == arm]:
            del self._groups[place]
