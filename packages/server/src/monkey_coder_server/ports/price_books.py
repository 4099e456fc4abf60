"""Price books as they were charged by: kept for good, and which of them holds from when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.price_list import Schedule
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.ports.record import Record


class Activation(Record, frozen=True):
    """A decision to charge by a book from a moment on, until its next book or the next activation takes over."""

    number: int
    starts_at: datetime
    book_id: str
    at: datetime
    by: str
    reason: str


class KeptBook(Record, frozen=True):
    """A book that was activated once, and where its prices came from."""

    book: PriceBook
    source: str
    kept_at: datetime


class PriceBooks(Protocol):
    """All processes take in what any of them activates within seconds; `known` costs no I/O."""

    @property
    def known(self) -> Schedule:
        """What the newest activation says, as known here: the same object until there is another; empty before any."""

    async def activate(  # noqa: PLR0913 - an activation, by name
        self, schedule: Schedule, *, source: str, by: str, reason: str, at: datetime, after: int | None = None
    ) -> bool:
        """Keep the books of a schedule and charge by it; known here on return.

        `after`: only if that is the newest activation's number, 0 for none; False when another was quicker.
        """

    async def kept(self, book_id: str) -> KeptBook | None:
        """A book by its id."""

    async def activations(self) -> Sequence[Activation]:
        """Every activation, the newest first."""
