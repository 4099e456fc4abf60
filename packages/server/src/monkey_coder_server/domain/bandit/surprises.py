"""By how much answers to prompts with each mark turned out better than was believed: sums that processes share.

Sums add up in any order and are sent in deltas as evidence is (see checkpoint), a row for a mark and an arm. What an
account's outcomes showed of the text's worth goes the same way (see earned).
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monkey_coder_server.domain.bandit.checkpoint import Delta, Outgoing, Stored, Sum
from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.domain.bandit.marks import MARKS

TRIAL = MARKS
"""The place after those of marks: what was foretold of the arm's surprises, squared, and times what came true."""
PLACES = MARKS + 1
OF_MARK = "mark"
OF_ACCOUNT = "account"
"""What a row is of: the first of its node's names; the second is the mark, or the period."""


class Sums(NamedTuple):
    """For each place the weight of the outcomes, and the sum of their surprises."""

    weights: "array[float]"
    surprises: "array[float]"

    @classmethod
    def none(cls) -> "Sums":
        """Of nothing."""
        return cls(array("d", bytes(8 * PLACES)), array("d", bytes(8 * PLACES)))

    def copied(self) -> "Sums":
        """The same, which changes no more."""
        return Sums(self.weights[:], self.surprises[:])


Place = tuple[Node, str]
"""A row of the kept sums."""
_NOTHING = Tally()


@dataclass(slots=True)
class Surprises:
    """What all processes counted as one of them knows it: what was read or sent, and what is fresh."""

    version: int = 0
    """Rises with everything that is counted or read."""
    _kept: dict[str, Sums] = field(default_factory=dict)
    _fresh: dict[str, Sums] = field(default_factory=dict)
    _accounts: dict[Place, Tally] = field(default_factory=dict)
    """All that is known, what is fresh included."""
    _fresh_accounts: dict[Place, Tally] = field(default_factory=dict)
    _outgoing: Outgoing = field(default_factory=Outgoing)

    def add(self, arm: str, marks: Iterable[int], weight: float, surprise: float, foretold: float) -> None:
        """Count an outcome of an arm at a prompt's marks; a negative weight takes back one that was counted."""
        sums = self._fresh.get(arm)
        if sums is None:
            sums = self._fresh[arm] = Sums.none()
        weights, surprises = sums
        weighed = weight * surprise
        for mark in marks:
            weights[mark] += weight
            surprises[mark] += weighed
        weights[TRIAL] += weight * foretold * foretold
        surprises[TRIAL] += weighed * foretold
        self.version += 1

    def credit(self, account_id: str, period: int, weight: float, gain: float) -> None:
        """Count what hearing the text would have gained at an outcome of an account, in log-loss."""
        for kept in (self._accounts, self._fresh_accounts):
            tally = kept.setdefault(_of(account_id, period), Tally())
            tally.rows += weight
            tally.quality += weight * gain

    def told(self, account_id: str, period: int) -> Tally:
        """The weight and the gain of an account's outcomes in a period."""
        return self._accounts.get(_of(account_id, period), _NOTHING)

    def copied(self) -> Sequence[tuple[str, Sums]]:
        """Each arm with sums as they are now, some of them twice: they add up."""
        return [(arm, sums.copied()) for part in (self._kept, self._fresh) for arm, sums in part.items()]

    def forget(self, before: int) -> None:
        """Drop what accounts showed in earlier periods; kept sums are dropped by their age."""
        for place in [place for place in self._accounts if int(place[0][1]) < before]:
            del self._accounts[place]

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
            total = replace(kept)
            total.merge(unsent.get((node, arm, era), _NOTHING))
            if node[0] == OF_MARK:
                sums, mark = self._of_arm(arm), int(node[1])
                sums.weights[mark], sums.surprises[mark] = total.rows, total.quality
            else:
                total.merge(self._fresh_accounts.get((node, arm), _NOTHING))
                self._accounts[node, arm] = total
        self.version += 1

    def _of_arm(self, arm: str) -> Sums:
        sums = self._kept.get(arm)
        if sums is None:
            sums = self._kept[arm] = Sums.none()
        return sums

    def _taken(self, most: int) -> Iterator[Sum]:
        """At most so many of the fresh sums, which are fresh no longer."""
        for account in sorted(self._fresh_accounts)[:most]:
            most -= 1
            yield Sum(*account, self._fresh_accounts.pop(account))
        for arm in sorted(self._fresh):
            (weights, surprises), kept = self._fresh[arm], self._of_arm(arm)
            changed = [mark for mark in range(PLACES) if weights[mark] or surprises[mark]]
            for mark in changed[:most]:
                yield Sum((OF_MARK, str(mark)), arm, Tally(weights[mark], surprises[mark]))
                kept.weights[mark] += weights[mark]
                kept.surprises[mark] += surprises[mark]
                weights[mark] = surprises[mark] = 0.0
            if len(changed) > most:
                return
            most -= len(changed)
            del self._fresh[arm]


def _of(account_id: str, period: int) -> Place:
    return (OF_ACCOUNT, str(period)), account_id
