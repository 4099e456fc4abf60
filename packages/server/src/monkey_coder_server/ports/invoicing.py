"""Credit lines, and the invoices for what was used of them. Amounts are nano-dollars, those of invoices whole cents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.invoicing import InvoiceState, Month
from monkey_coder_server.ports.record import Record


class LineStanding(Record, frozen=True):
    """A credit line: what it is in all, and how much of it can still be spent."""

    account_id: str
    amount: int
    left: int


class InvoiceItem(Record, frozen=True):
    """A line of an invoice: what it stands for to the nano-dollar, and the cents of it."""

    description: str
    project_id: str
    model: str
    amount: int
    cents: int


class Invoice(Record, frozen=True):
    """An account's invoice for a month. `ref` and `hosted_url` are the processor's, empty before it is sent there."""

    invoice_id: str
    account_id: str
    period: str
    state: InvoiceState
    cents: int
    charged: int
    used: int
    made_at: datetime
    due_at: datetime | None = None
    paid_at: datetime | None = None
    ref: str = ""
    hosted_url: str = ""
    items: Sequence[InvoiceItem] = ()


class Sent(Record, frozen=True):
    """How an invoice stands at the processor."""

    state: InvoiceState
    ref: str
    hosted_url: str
    due_at: datetime | None = None


class CreditLines(Protocol):
    """Raises `Unavailable`."""

    async def set(self, account_id: str, amount: int, at: datetime) -> LineStanding:
        """Make a line this much in all. Raises `NotFound` without a wallet, `Conflict` below what is used of it."""

    async def find(self, account_id: str) -> LineStanding | None:
        """The line of an account, if it has one."""

    async def months_due(self, now: datetime) -> Sequence[tuple[str, Month]]:
        """Every account that has or had a line with each month to invoice, oldest first."""


class Invoices(Protocol):
    """Raises `Unavailable`."""

    async def close(self, account_id: str, month: Month, at: datetime) -> Invoice | None:
        """Draw up the invoice of a month and book it, once; None when somebody did before."""

    async def unsent(self) -> Sequence[Invoice]:
        """Invoices with something due that the processor does not know of, with their lines, oldest first."""

    async def bring(self, invoice_id: str, sent: Sent, at: datetime) -> Invoice | None:
        """Bring an invoice to what was seen of it; None when there is none of that id."""

    async def freeze_overdue(self, now: datetime) -> Sequence[str]:
        """Freeze accounts whose invoices are long overdue; which were frozen by this. They thaw when it is paid."""

    async def of_account(self, account_id: str, *, month: str | None, most: int) -> Sequence[Invoice]:
        """An account's invoices, newest first, without their lines."""

    async def find(self, account_id: str, invoice_id: str) -> Invoice | None:
        """An invoice of an account, with its lines."""

    async def by_id(self, invoice_id: str) -> Invoice | None:
        """Whoever's it is, without its lines."""

    async def charged(self, account_id: str, month: Month) -> Sequence[InvoiceItem]:
        """What an account was charged in a month by project and model, whether or not it has a line."""
