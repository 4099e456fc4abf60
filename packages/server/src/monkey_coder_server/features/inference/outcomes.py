"""How answers turned out, by model and kind of task, in this process: what feedback says of those we served."""

from collections import OrderedDict
from dataclasses import dataclass

from monkey_coder_server.ports.record import Record

REMEMBERED = 20_000
"""Requests whose model and task are known without asking the books."""
MOST_OF_AN_ACCOUNT = 5
"""Half as much as a stated prior weighs (`planning.PRIOR_STRENGTH`)."""


class ServedBy(Record, frozen=True):
    """What a request was and who served it."""

    account_id: str
    model: str
    """`provider/model`."""
    task_type: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Reported outcomes: `good` is the sum of their scores (0 to 1 each), `reports` how many there are."""

    good: float = 0.0
    reports: int = 0

    def plus(self, other: "Tally", sign: int = 1) -> "Tally":
        """Both together; with `sign` -1, this without the other."""
        return Tally(max(0.0, self.good + sign * other.good), self.reports + sign * other.reports)

    def at_most(self, reports: int) -> "Tally":
        """The same mean with the weight of no more than so many reports."""
        return self if self.reports <= reports else Tally(self.good / self.reports * reports, reports)


class Outcomes:
    """Counts one outcome a request; a later report of the same request replaces the earlier.

    An account's reports on a model at a kind of task weigh no more than `MOST_OF_AN_ACCOUNT`, however many they are:
    nobody alone decides where the requests of others go.
    """

    def __init__(self) -> None:
        self._served: OrderedDict[str, ServedBy] = OrderedDict()
        self._scores: OrderedDict[str, float] = OrderedDict()
        self._shares: OrderedDict[ServedBy, Tally] = OrderedDict()
        self._tallies: dict[tuple[str, str], Tally] = {}

    def served(self, request_id: str, by: ServedBy) -> None:
        """Remember who served a request."""
        self._served[request_id] = by
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def who(self, account_id: str, request_id: str) -> ServedBy | None:
        """Who served a request of this account; None when it is not remembered, or another's."""
        by = self._served.get(request_id)
        return by if by is not None and by.account_id == account_id else None

    def report(self, request_id: str, by: ServedBy, score: float) -> Tally:
        """Count how a request turned out (0 to 1); the tally of its model and kind of task."""
        own = self._shares.pop(by, Tally())
        earlier = self._scores.pop(request_id, None)
        self._count(by, own, -1)
        if earlier is not None and own.reports:
            own = own.plus(Tally(earlier, 1), -1)
        own = self._shares[by] = own.plus(Tally(score, 1))
        self._count(by, own, 1)
        self._scores[request_id] = score
        self._forget()
        return self.tally(by.model, by.task_type)

    def tally(self, model: str, task_type: str) -> Tally:
        """What is known of a model (`provider/model`) at a kind of task."""
        return self._tallies.get((model, task_type), Tally())

    def _count(self, by: ServedBy, own: Tally, sign: int) -> None:
        place = (by.model, by.task_type)
        self._tallies[place] = self._tallies.get(place, Tally()).plus(own.at_most(MOST_OF_AN_ACCOUNT), sign)

    def _forget(self) -> None:
        if len(self._scores) > REMEMBERED:
            self._scores.popitem(last=False)
        if len(self._shares) > REMEMBERED:
            self._count(*self._shares.popitem(last=False), -1)
