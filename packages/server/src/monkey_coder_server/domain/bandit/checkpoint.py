"""Evidence shared by processes: each adds what it saw to sums kept elsewhere, and reads what all have seen.

Sums add up in any order. What a process adds goes in deltas with a rising number: whoever keeps the sums keeps the
number beside them, so that a delta whose acknowledgement was lost can be sent again and counts once.

Where an arm has changed, a new *era* begins at a kind: sums of an era take the place of those of all before it, and
what comes late of an earlier one counts no more. Processes that begin the same era at once add up, as in any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally


class Sum(NamedTuple):
    """All that was seen of an arm at a kind of work, in one era of its."""

    node: Node
    arm: str
    tally: Tally
    era: int = 0


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
    _eras: dict[tuple[Node, str], int] = field(default_factory=dict)
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

    def era(self, node: Node, arm: str) -> int:
        """How often what was seen of an arm at a kind was given up."""
        return self._eras.get((node, arm), 0)

    def begin_era(self, node: Node, arm: str, left: Tally) -> None:
        """Let only so much be left of what all processes saw of an arm at a kind."""
        place = (node, arm)
        self._eras[place] = self._eras.get(place, 0) + 1
        self._fresh[place] = replace(left)
        self.nodes.setdefault(node, {})[arm] = replace(left)

    def delta(self, most: int) -> Delta | None:
        """What to add to the kept sums: the delta before until `sent` was told of it, then a new one.

        At most so many sums; None when nothing is new.
        """
        if self._sent is None and self._fresh:
            places = sorted(list(self._fresh)[:most])
            self._sequence += 1
            sums = (Sum(*place, self._fresh.pop(place), self._eras.get(place, 0)) for place in places)
            self._sent = Delta(self._sequence, tuple(sums))
        return self._sent

    def sent(self, sequence: int) -> None:
        """The delta of this number is in the kept sums."""
        if self._sent is not None and self._sent.sequence <= sequence:
            self._sent = None

    def read(self, stored: Stored) -> None:
        """Believe the kept sums, and what this process saw beyond them; sums that are not told stay as they are."""
        self.sent(stored.applied)
        unsent = {} if self._sent is None else {(each.node, each.arm, each.era): each.tally for each in self._sent.sums}
        for node, arm, kept, era in stored.sums:
            place, known = (node, arm), self.era(node, arm)
            if era < known:
                continue
            if era > known:
                self._eras[place] = era
                self._fresh.pop(place, None)
            total = replace(kept)
            for own in (unsent.get((node, arm, era)), self._fresh.get(place)):
                if own is not None:
                    total.merge(own)
            self.nodes.setdefault(node, {})[arm] = total
