"""What a figure of a request will probably be, foretold from requests that were like it.

A figure is remembered in places: names of ever narrower circles of likeness, the widest first. In each circle the
median of what was seen there, and of what the wider circles say, is taken; so a stated prior gives way to the gateway's
experience, that to the account's own, and that to what this very kind of request took before. Medians are what least
misses figures that are sometimes ten times as large; as many requests come out above them as below.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from statistics import median
from typing import NamedTuple

WINDOW = 24
"""What is remembered in a place: the newest, so that it follows a change."""
PLACES = 50_000
"""Places remembered; the one longest without news is forgotten first."""
WIDER_WEIGHT = 1
"""What the wider circle says counts as so many figures seen in the narrower one; 1 missed recorded exchanges least."""


class Foretold(NamedTuple):
    """A figure, and how many like it were seen in the narrowest circle that holds any; 0 for a prior."""

    value: float
    seen: int


class Experience:
    """The newest figures of each place, in memory."""

    def __init__(self, *, places: int = PLACES) -> None:
        self._most = places
        self._seen: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def learn(self, places: Sequence[Hashable], value: float) -> None:
        """Remember a figure in each of its places."""
        for place in places:
            figures = self._seen.get(place)
            if figures is None:
                figures = self._seen[place] = deque(maxlen=WINDOW)
                if len(self._seen) > self._most:
                    self._seen.popitem(last=False)
            else:
                self._seen.move_to_end(place)
            figures.append(value)

    def foretell(self, places: Sequence[Hashable], prior: float) -> Foretold:
        """The figure to expect in the narrowest of the places, given widest first."""
        value, seen = prior, 0
        for place in places:
            figures = self._seen.get(place)
            if figures:
                value, seen = median([*figures, *[value] * WIDER_WEIGHT]), len(figures)
        return Foretold(value, seen)
