"""Sums over all customers, for the operator. A day is a whole UTC day; both ends are included."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

from monkey_coder_server.domain.business import Moved, Takings
from monkey_coder_server.ports.record import Record


class By(StrEnum):
    """What business is told apart by."""

    PROVIDER = "provider"
    MODEL = "model"
    PLAN = "plan"
    """The plan an account was on as a day began."""
    CUSTOMER = "customer"
    DAY = "day"


class Promotional(Record, frozen=True):
    """Credit given away in a time, and how much of that is left now."""

    given: int
    left: int


class Business(Protocol):
    """Reads sums that are kept, never single requests."""

    async def takings(self, first: date, last: date, by: By, *, most: int) -> Sequence[Takings]:
        """At most so many lines, those of the largest revenue; days in their order."""

    async def total(self, first: date, last: date) -> Takings:
        """All of them together."""

    async def moved(self, first: date, last: date) -> Sequence[Moved]:
        """What the ledger moved, by kind of transaction and of account."""

    async def estimated_cost(self, first: date, last: date) -> int:
        """What is booked as provider cost by estimate, and not corrected since."""

    async def promotional(self, first: date, last: date) -> Promotional:
        """Trial and promotional credit."""
