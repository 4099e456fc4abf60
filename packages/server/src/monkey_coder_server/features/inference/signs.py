"""What answers show of themselves: cut off at an open limit, refused, or asked for again at once.

Such signs are faint and one-sided: that there is none says next to nothing. So a model is judged by how much more
often it shows them than answers usually do: each answer counts as good by as little as balances the usual share of
signs around a typical answer. A model with the usual share stays where it was, however much it serves.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator

from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.ports.record import Record

ASKED_AGAIN, REFUSED, CUT_OFF = 0.2, 0.2, 0.1
"""How much a sign that an answer was bad is believed; tests weigh 1."""
AGAIN_WITHIN = 120.0
"""Seconds after an answer within which the very same request means that it did not do."""
TYPICAL = 0.7
"""The quality of a typical answer."""
USUAL, USUAL_ROWS = 0.01, 200.0
"""The usual weight of signs an answer, before any was served, and how many answers that counts for."""
REMEMBERED = 4_096
_REFUSALS = frozenset({FinishReason.REFUSAL, FinishReason.CONTENT_FILTER})


class _Answered(Record, frozen=True):
    request_id: str
    by: ServedBy
    at: float


class Signs:
    """Notes the signs of answers as they are served, and tells of them when somebody asks. Times are monotonic."""

    def __init__(self) -> None:
        self._answered: OrderedDict[tuple[str, str], _Answered] = OrderedDict()
        self._served: Counter[ServedBy] = Counter()
        self._bad: Counter[tuple[ServedBy, float]] = Counter()
        self._rows = USUAL_ROWS
        self._weight = USUAL * USUAL_ROWS

    def note(self, served: Served, by: ServedBy, same: str, now: float) -> str | None:
        """An answer was served. `same` tells requests apart that ask for something else.

        The request that was asked again, because its answer did not do.
        """
        if served.client_gone:
            return None
        place = (by.account_id, same)
        earlier = self._answered.pop(place, None)
        again = None
        if earlier is not None and earlier.at <= served.job.started <= earlier.at + AGAIN_WITHIN:
            self._count(earlier.by, ASKED_AGAIN)
            again = earlier.request_id
        self._answered[place] = _Answered(served.job.request_id, by, now)
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        self._served[by] += 1
        self._rows += 1.0
        if served.answer.finish in _REFUSALS or served.answer.refusal:
            self._count(by, REFUSED)
        elif _cut_off(served):
            self._count(by, CUT_OFF)
        return again

    def told(self) -> Iterator[tuple[ServedBy, Signal]]:
        """What the answers since the last time say."""
        usual = self._weight / self._rows
        good = usual * TYPICAL / (1.0 - TYPICAL)
        served, self._served = self._served, Counter()
        bad, self._bad = self._bad, Counter()
        for by, count in served.items():
            yield by, Signal(1.0, good * count)
        for (by, weight), count in bad.items():
            yield by, Signal(0.0, weight * count)

    def _count(self, by: ServedBy, weight: float) -> None:
        self._bad[by, weight] += 1
        self._weight += weight


def _cut_off(served: Served) -> bool:
    """Whether an answer ended at a limit nobody set: neither the caller nor a short wallet."""
    job = served.job
    ended = served.answer.finish is FinishReason.LENGTH
    return ended and job.max_tokens is None and served.route.max_tokens >= job.default_max_tokens
