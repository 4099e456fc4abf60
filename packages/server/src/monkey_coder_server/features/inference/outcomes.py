"""How answers turned out, by model and kind of task, in this process: what feedback says of those we served."""

from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 20_000
"""Requests whose model and task are known without asking the books."""


@dataclass(frozen=True, slots=True)
class ServedBy:
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


class Outcomes:
    """Counts one outcome a request; a later report of the same request replaces the earlier."""

    def __init__(self) -> None:
        self._served: OrderedDict[str, ServedBy] = OrderedDict()
        self._scores: OrderedDict[str, float] = OrderedDict()
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
        place = (by.model, by.task_type)
        tally = self._tallies.get(place, Tally())
        earlier = self._scores.pop(request_id, None)
        if earlier is not None:
            tally = Tally(tally.good - earlier, tally.reports - 1)
        tally = self._tallies[place] = Tally(tally.good + score, tally.reports + 1)
        self._scores[request_id] = score
        if len(self._scores) > REMEMBERED:
            self._scores.popitem(last=False)
        return tally

    def tally(self, model: str, task_type: str) -> Tally:
        """What is known of a model (`provider/model`) at a kind of task."""
        return self._tallies.get((model, task_type), Tally())
