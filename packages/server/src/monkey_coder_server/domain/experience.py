"""What a figure of a request will probably be, foretold from requests that were like it.

A figure is remembered in places: names of ever narrower circles of likeness, the widest first. In each circle the
median of what was seen there, and of what the wider circles say, is taken; so a stated prior gives way to the gateway's
experience, that to the account's own, and that to what this very kind of request took before. Medians are what least
misses figures that are sometimes ten times as large; as many requests come out above them as below.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from math import inf
from typing import NamedTuple

WINDOW = 24
"""What is remembered in a place: the newest, so that it follows a change."""
PLACES = 40_000
"""Places remembered; the one longest without news is forgotten first. One takes some 500 bytes."""


_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""


class Foretold(NamedTuple):
    """A figure, and how many like it were seen in the narrowest circle that holds any; 0 for a prior."""

    value: float
    seen: int


_Middle = tuple[float, float | None, float]
"""Where the median of figures and of one more lies: that one, held between the outer two, or half way from there to the
middle one; None where there is no such."""


class _Seen(list[Sequence[float]]):
    """The newest of a place, a figure of each kind together; their middles are looked for when they are asked for.

    Most places see one request, and making them is most of the work: a list, as a deque takes 700 bytes for it, and no
    object beside it.
    """

    middles: dict[int, _Middle] | None = None

    def find_middle(self, kind: int) -> _Middle:
        """Of what is remembered now."""
        ordered = sorted([figures[kind] for figures in self])
        half = len(ordered) // 2
        middle: _Middle
        if len(ordered) == 1:
            middle = (-inf, ordered[0], inf)
        elif len(ordered) % 2:
            middle = (ordered[half - 1], ordered[half], ordered[half + 1])
        else:
            middle = (ordered[half - 1], None, ordered[half])
        if self.middles is None:
            self.middles = {}
        self.middles[kind] = middle
        return middle


class Experience:
    """The newest figures of each place, in memory. Figures that are learnt together are told apart by their `kind`.

    What a wider circle says counts as one figure seen in the narrower one; that missed recorded exchanges least.
    """

    def __init__(self, *, places: int = PLACES) -> None:
        self._most = places
        self._seen: OrderedDict[Hashable, _Seen] = OrderedDict()

    def learn(self, places: Iterable[Hashable], figures: Sequence[Sequence[float]]) -> None:
        """Remember figures in each of the places: of each request one of each kind, the oldest request first."""
        seen = self._seen
        for place in places:
            known = seen.get(place)
            if known is None:
                seen[place] = _Seen(figures[-WINDOW:])
                if len(seen) > self._most:
                    seen.popitem(last=False)
                continue
            seen.move_to_end(place)
            known.extend(figures)
            if known.middles is not None:
                known.middles = None
            if len(known) > WINDOW:
                del known[:-WINDOW]

    def foretell(self, places: Iterable[Hashable], prior: float, kind: int = 0) -> Foretold:
        """The figure to expect in the narrowest of the places, given widest first."""
        value, narrowest = prior, None
        for place in places:
            known = self._seen.get(place)
            if known is None:
                continue
            narrowest = known
            middles = known.middles
            low, middle, high = (middles and middles.get(kind)) or known.find_middle(kind)
            if value < low:
                value = low
            elif value > high:
                value = high
            if middle is not None:
                value = (value + middle) / 2
        return _new(Foretold, (value, 0 if narrowest is None else len(narrowest)))
