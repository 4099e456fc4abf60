"""What feedback says of the answers of this process, by model and task type: the counts its sender is told."""

from collections import OrderedDict
from dataclasses import dataclass

from monkey_coder_server.ports.record import Record

REMEMBERED = 8_192
"""Requests whose model and task are known without asking the books."""
MOST_OF_AN_ACCOUNT = 5
"""Half as much as a stated prior weighs (`beliefs.PRIOR_ROWS`)."""


_Place = tuple[str, str, str]
"""Account, model and task type."""


class ServedBy(Record, frozen=True):
    """What a request was and who served it."""

    account_id: str
    model: str
    """`provider/model`."""
    task_type: str
    kind: str = ""
    """The kind of work; empty where only the task type is known."""
    language: str = ""
    effort: str = ""
    """How hard it was asked to think; empty where the caller left that open."""

    @property
    def arm(self) -> str:
        """What answered, as the router tells candidates apart."""
        return arm_of(self.model, self.effort)


def arm_of(model: str, effort: str) -> str:
    """A model (`provider/model`) that is asked to think so hard; it is another arm than the same left alone."""
    return f"{model}@{effort}" if effort else model


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
        self._shares: OrderedDict[_Place, Tally] = OrderedDict()
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
        place = (by.account_id, by.model, by.task_type)
        own = self._shares.pop(place, Tally())
        earlier = self._scores.pop(request_id, None)
        self._count(place, own, -1)
        if earlier is not None and own.reports:
            own = own.plus(Tally(earlier, 1), -1)
        own = self._shares[place] = own.plus(Tally(score, 1))
        self._count(place, own, 1)
        self._scores[request_id] = score
        self._forget()
        return self.tally(by.model, by.task_type)

    def tally(self, model: str, task_type: str) -> Tally:
        """What is known of a model (`provider/model`) at a kind of task."""
        return self._tallies.get((model, task_type), Tally())

    def _count(self, place: _Place, own: Tally, sign: int) -> None:
        _, model, task_type = place
        earlier = self._tallies.get((model, task_type), Tally())
        self._tallies[model, task_type] = earlier.plus(own.at_most(MOST_OF_AN_ACCOUNT), sign)

    def _forget(self) -> None:
        if len(self._scores) > REMEMBERED:
            self._scores.popitem(last=False)
        if len(self._shares) > REMEMBERED:
            self._count(*self._shares.popitem(last=False), -1)
