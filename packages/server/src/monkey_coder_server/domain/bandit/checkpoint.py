"""Evidence shared by processes: each adds what it saw to sums kept elsewhere, and reads what all have seen.

Sums add up in any order. What a process adds goes in deltas with a rising number: whoever keeps the sums keeps the
number beside them, so that a delta whose acknowledgement was lost can be sent again and counts once.

Where an arm has changed, a new *era* begins at a kind: sums of an era take the place of those of all before it, and
what comes late of an earlier one counts no more. Processes that begin the same era at once add up, as in any other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
class Outgoing:
    """The delta on its way to the kept sums: one at a time, the same again until it is known to have arrived."""

    _sequence: int = 0
    _delta: Delta | None = None

    def delta(self, take: Callable[[], Iterable[Sum]]) -> Delta | None:
        """The delta before until `arrived` was told of it, then one of the sums that are taken; None without any."""
        if self._delta is None and (sums := tuple(take())):
            self._sequence += 1
            self._delta = Delta(self._sequence, sums)
        return self._delta

    def arrived(self, sequence: int) -> None:
        """The deltas up to this number are in the kept sums."""
        if self._delta is not None and self._delta.sequence <= sequence:
            self._delta = None

    def tallies(self) -> Mapping[tuple[Node, str, int], Tally]:
        """What is on its way, by kind, arm and era."""
        return {} if self._delta is None else {(each.node, each.arm, each.era): each.tally for each in self._delta.sums}


@dataclass(slots=True)
class SharedEvidence(Evidence):
    """Evidence of all processes as one of them knows it: what was read, and all that it saw itself."""

    _fresh: dict[tuple[Node, str], Tally] = field(default_factory=dict)
    _eras: dict[tuple[Node, str], int] = field(default_factory=dict)
    _outgoing: Outgoing = field(default_factory=Outgoing)

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
        return self._outgoing.delta(lambda: self._taken(most))

    def sent(self, sequence: int) -> None:
        """The delta of this number is in the kept sums."""
        self._outgoing.arrived(sequence)

    def read(self, stored: Stored) -> None:
        """Believe the kept sums, and what this process saw beyond them; sums that are not told stay as they are."""
        self.sent(stored.applied)
        unsent = self._outgoing.tallies()
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

    def _taken(self, most: int) -> Iterator[Sum]:
        """At most so many of the fresh sums, which are fresh no longer."""
        for place in sorted(list(self._fresh)[:most]):
            yield Sum(*place, self._fresh.pop(place), self._eras.get(place, 0))
