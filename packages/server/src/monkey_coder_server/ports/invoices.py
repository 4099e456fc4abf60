"""What reconciliation needs from outside: a provider's word on what it billed, and our own books of the same."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from monkey_coder_server.domain.invoices import Booked, Invoice
from monkey_coder_server.ports.record import Record

IN_ANSWERS = "costs in answers"
"""What books are compared with that are set beside what answers said they cost, not beside an invoice."""


class InvoiceSource(Protocol):
    """A provider's cost API, or a file that was downloaded from it."""

    async def fetch(self, first: date, last: date) -> Invoice:
        """What it billed on the UTC days from `first` to `last`, both included.

        Raises `InvalidRequest` for what cannot be read as an invoice, `ProviderFailed` when the provider refuses or is
        away.
        """


class Correction(Record, frozen=True):
    """What an invoice says of one booked cost that was estimated: `difference` nano-dollars more, or less."""

    provider: str
    transaction_id: str
    line: int
    difference: int
    source: str
    at: datetime


class Reconciliation(Record, frozen=True):
    """One comparison that was made. Money in nano-dollars; days as ISO text, both included; `report` is JSON."""

    reconciliation_id: str
    provider: str
    first_day: str
    last_day: str
    at: datetime
    source: str
    booked: int
    invoiced: int
    unexplained: int
    findings: int
    report: str


class CostBooks(Protocol):
    """Our provider-cost books, and what comparisons with them came to."""

    async def costs(self, provider: str, first: date, last: date, *, by_request: bool) -> Sequence[Booked]:
        """What is booked of the UTC days from `first` to `last`, oldest first.

        Answer by answer, or (not `by_request`) summed by day and model, except what was estimated.
        """

    async def correct(self, correction: Correction) -> bool:
        """Book the difference in a transaction that names the entry it corrects; False when that was done before."""

    async def note(self, made: Reconciliation) -> None:
        """Keep what a comparison came to; harmless when it is kept already."""

    async def noted(self, reconciliation_id: str) -> bool:
        """Whether that comparison is kept."""

    async def latest(self) -> Sequence[Reconciliation]:
        """The newest comparisons with each provider, without their reports: with its invoice, and with its answers."""
