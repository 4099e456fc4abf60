"""Evidence shared by processes: each adds what it saw to sums kept elsewhere, and reads what all have seen.

Sums add up in any order. What a process adds goes in deltas with a rising number: whoever keeps the sums keeps the
number beside them, so that a delta whose acknowledgement was lost can be sent again and counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally


class Sum(NamedTuple):
    """All that was seen of an arm at a kind of work."""

    node: Node
    arm: str
    tally: Tally


class Delta(NamedTuple):
    """What a process saw since its delta before: at most one sum for a kind and an arm."""

    sequence: int
    sums: tuple[Sum, ...]


class Stored(NamedTuple):
    """Sums as they are kept, and up to which of this process's deltas they hold all."""

    sums: Sequence[Sum]
    applied: int


@dataclass(slots=True)
class SharedEvidence(Evidence):
    """Evidence of all processes as one of them knows it: what was read, and all that it saw itself."""

    _fresh: dict[tuple[Node, str], Tally] = field(default_factory=dict)
    _sent: Delta | None = None
    _sequence: int = 0

    def add(self, context: Context, arm: str, quality: float, weight: float = 1.0) -> None:
        """Count an outcome, of quality 0 to 1, here and in the next delta."""
        Evidence.add(self, context, arm, quality, weight)
        for node in context.nodes:
            place = (node, arm)
            fresh = self._fresh.get(place)
            if fresh is None:
                fresh = self._fresh[place] = Tally()
            fresh.add(weight, quality, context.recency)

    def delta(self, most: int) -> Delta | None:
        """What to add to the kept sums: the delta before until `sent` was told of it, then a new one.

        At most so many sums; None when nothing is new.
        """
        if self._sent is None and self._fresh:
            places = sorted(list(self._fresh)[:most])
            self._sequence += 1
            self._sent = Delta(self._sequence, tuple(Sum(*place, self._fresh.pop(place)) for place in places))
        return self._sent

    def sent(self, sequence: int) -> None:
        """The delta of this number is in the kept sums."""
        if self._sent is not None and self._sent.sequence <= sequence:
            self._sent = None

    def read(self, stored: Stored) -> None:
        """Believe the kept sums, and what this process saw beyond them; sums that are not told stay as they are."""
        self.sent(stored.applied)
        unsent = {} if self._sent is None else {(node, arm): tally for node, arm, tally in self._sent.sums}
        for node, arm, kept in stored.sums:
            total = replace(kept)
            for own in (unsent.get((node, arm)), self._fresh.get((node, arm))):
                if own is not None:
                    total.merge(own)
            self.nodes.setdefault(node, {})[arm] = total
