"""What is charged at a moment: a price book, and the markups that hold."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.pricing import PriceBook


@dataclass(frozen=True, eq=False)
class PriceList:
    """Another takes its place when the book changes or a markup starts or ends. Two are the same only if one object."""

    book: PriceBook
    markups: MarkupTable
    """Those in force."""

    @cached_property
    def _plans(self) -> frozenset[str]:
        return frozenset(rule.plan for rule in self.markups.rules if rule.plan is not None)

    def priced_as(self, plan: str) -> str:
        """The plan whose prices these are: the plan itself where a markup names it, else the empty one of all others.

        So whoever keeps something for each plan keeps no more than there are plans with markups of their own.
        """
        return plan if plan in self._plans else ""

    def basis_points(self, plan: str, provider: str, model: str) -> int:
        """The markup of a request."""
        return self.markups.basis_points(plan=plan, provider=provider, model=model)


Schedule = tuple[tuple[datetime, PriceBook], ...]
"""Books, each with the moment it holds from, oldest first."""


def book_at(schedule: Schedule, moment: datetime) -> tuple[PriceBook, datetime | None]:
    """The book that holds, and until when; the first one also before its time."""
    place = max(0, sum(starts_at <= moment for starts_at, _ in schedule) - 1)
    following = schedule[place + 1 : place + 2]
    return schedule[place][1], following[0][0] if following else None
