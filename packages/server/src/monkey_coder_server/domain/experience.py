"""What a figure of a request will probably be, foretold from requests that were like it.

A figure is remembered in places: names of ever narrower circles of likeness, the widest first. In each circle the
median of what was seen there, and of what the wider circles say, is taken; so a stated prior gives way to the gateway's
experience, that to the account's own, and that to what this very kind of request took before. Medians are what least
misses figures that are sometimes ten times as large; as many requests come out above them as below.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from math import inf
from typing import NamedTuple

WINDOW = 24
"""What is remembered in a place: the newest, so that it follows a change."""
PLACES = 50_000
"""Places remembered; the one longest without news is forgotten first."""


_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""


class Foretold(NamedTuple):
    """A figure, and how many like it were seen in the narrowest circle that holds any; 0 for a prior."""

    value: float
    seen: int


_Middle = tuple[float, float | None, float]
"""Where the median of figures and of one more lies: that one, held between the outer two, or half way from there to the
middle one; None where there is no such."""


class _Figures:
    """The newest of a place; their middle is looked for when it is asked for."""

    __slots__ = ("middle", "newest")

    def __init__(self) -> None:
        self.newest: deque[float] = deque(maxlen=WINDOW)
        self.middle: _Middle | None = None

    def find_middle(self) -> _Middle:
        """Of what is remembered now."""
        ordered = sorted(self.newest)
        half = len(ordered) // 2
        if len(ordered) == 1:
            self.middle = (-inf, ordered[0], inf)
        elif len(ordered) % 2:
            self.middle = (ordered[half - 1], ordered[half], ordered[half + 1])
        else:
            self.middle = (ordered[half - 1], None, ordered[half])
        return self.middle


class Experience:
    """The newest figures of each place, in memory.

    What a wider circle says counts as one figure seen in the narrower one; that missed recorded exchanges least.
    """

    def __init__(self, *, places: int = PLACES) -> None:
        self._most = places
        self._seen: OrderedDict[Hashable, _Figures] = OrderedDict()

    def learn(self, places: Sequence[Hashable], value: float) -> None:
        """Remember a figure in each of its places."""
        for place in places:
            figures = self._seen.get(place)
            if figures is None:
                figures = self._seen[place] = _Figures()
                if len(self._seen) > self._most:
                    self._seen.popitem(last=False)
            else:
                self._seen.move_to_end(place)
            figures.newest.append(value)
            figures.middle = None

    def foretell(self, places: Sequence[Hashable], prior: float) -> Foretold:
        """The figure to expect in the narrowest of the places, given widest first."""
        value, narrowest = prior, None
        for place in places:
            figures = self._seen.get(place)
            if figures is None:
                continue
            narrowest = figures
            low, middle, high = figures.middle or figures.find_middle()
            if value < low:
                value = low
            elif value > high:
                value = high
            if middle is not None:
                value = (value + middle) / 2
        return _new(Foretold, (value, 0 if narrowest is None else len(narrowest.newest)))
