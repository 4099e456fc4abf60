"""Whether limits were kept, and how much of them could be used.

What a limit promises is that gateways admit no more than so much in any 60 seconds, so the gateway's clock is the
rightful one: requests as its books note them, tokens from then until the provider has the request, since they are
taken in between. Where some are longer on their way than others, more may come to the provider within 60 seconds than
the limit says: that is told, and nobody promises otherwise. Places are the provider's to count: a request holds its
place for longer than its call lasts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monkey_coder_server.domain.rates import Measure
from tests.rates.house import Served, Tried
from tests.rates.trials import LEAST_USABLE, Trial
from tests.rates.windows import Grant, most_at_once, most_within

NOTED_SECONDS = 0.1
"""A request is admitted at most so long before the moment that the gateway notes of it: it reads the body between."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit. `worst` and `after_death` count what was granted within 60 seconds, or at once.

    `arrived` counts the same as the provider saw it come. `wrong` is empty when all is as it has to be.
    """

    measure: Measure
    allowed: int
    worst: int
    arrived: int
    after_death: int | None
    answered: int
    refused: int
    turned_away: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        figures = [
            f"{self.measure:12} limit {self.allowed:8}",
            f"worst {self.worst:8}",
            f"usable {self._share(self.worst)}",
            *([] if self.after_death is None else [f"after the death {self._share(self.after_death)}"]),
            f"at the provider {self.arrived:8}",
            f"answers {self.answered:5}  refusals {self.refused:5}  turned away {self.turned_away:5}",
            "; ".join(self.wrong) or "kept",
        ]
        return "  ".join(figures)

    def _share(self, granted: int) -> str:
        return f"{granted / self.allowed:6.1%}"


def judged(trial: Trial, tried: Tried) -> list[Finding]:
    """One finding a limit."""
    return [_judged(trial, tried, measure) for measure in trial.allowed]


def _judged(trial: Trial, tried: Tried, measure: Measure) -> Finding:
    served, allowed = tried.served[measure], trial.allowed[measure]
    worst, after_death = _worst(measure, served), None
    if tried.killed is not None:
        after_death = _worst(measure, [one for one in served if one.admitted >= tried.killed])
    told = tried.told[measure]
    return Finding(
        measure=measure,
        allowed=allowed,
        worst=worst,
        arrived=_arrived(measure, served),
        after_death=after_death,
        answered=len(told.answers),
        refused=told.refused,
        turned_away=told.turned_away,
        wrong=tuple(_wrong(trial, tried, measure, (worst, after_death))),
    )


def _wrong(trial: Trial, tried: Tried, measure: Measure, found: tuple[int, int | None]) -> Iterator[str]:
    (worst, after_death), allowed, told = found, trial.allowed[measure], tried.told[measure]
    if worst > allowed:
        yield "MORE THAN THE LIMIT"
    if worst < LEAST_USABLE * allowed:
        yield "NOT ALL COULD BE USED"
    if after_death is not None and trial.outlives_death and after_death < LEAST_USABLE * allowed:
        yield "NOT ALL COULD BE USED AFTER THE DEATH"
    if not told.refused:
        yield "nobody was refused"
    if tried.strays[measure]:
        yield f"{tried.strays[measure]} more calls at the provider than answers"
    if sum(one.tokens for one in tried.served[measure]) != sum(one.tokens for one in told.answers):
        yield "other tokens at the provider than in answers"
    yield from (f"{count} times {what}" for what, count in told.wrong.items())


def _worst(measure: Measure, served: list[Served]) -> int:
    """The most that was surely granted. A place is held for longer than its call at the provider lasts."""
    if measure is Measure.CONCURRENCY:
        return most_at_once([(one.began, one.ended) for one in served])
    if measure is Measure.TOKENS:
        return most_within(Grant(one.admitted, one.began, one.tokens) for one in served)
    return most_within(Grant(one.admitted - NOTED_SECONDS, one.admitted) for one in served)


def _arrived(measure: Measure, served: list[Served]) -> int:
    """The most that came to the provider within 60 seconds, however long each was on its way."""
    if measure is Measure.CONCURRENCY:
        return _worst(measure, served)
    return most_within(_counted(measure, served, "began"))


def _counted(measure: Measure, served: list[Served], moment: str) -> list[Grant]:
    return [
        Grant(getattr(one, moment), getattr(one, moment), one.tokens if measure is Measure.TOKENS else 1)
        for one in served
    ]
