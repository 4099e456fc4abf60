"""Invoices for what was used of a credit line in a month: months, amounts, lines, states.

Amounts are nano-dollars until they are drawn up; an invoice is in whole cents. What is less than a cent is carried to
the next invoice, so that over any number of months Σ cents + what is carried now = Σ used, exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from monkey_coder_server.domain.ledger import Account, AccountKind, Entry
from monkey_coder_server.domain.money import NANO_PER_CENT

LINE_PRIORITY = 2_000_000_000
"""A credit line is spent when nothing else is left."""
SETTLING = timedelta(hours=6)
"""A month is invoiced so long after its end; what is booked later is on the next invoice, in a line of its own."""
DAYS_UNTIL_DUE = 30
FREEZE_AFTER = timedelta(days=14)
"""What is overdue for so long freezes the account until it is paid, voided, or written off."""
LATE = "Usage of earlier months, booked late"
FROM_CREDIT = "Paid from credit"


class Month:
    """A calendar month in UTC."""

    __slots__ = ("end", "name", "start")

    def __init__(self, name: str) -> None:
        """From `2026-11`. Raises `ValueError`."""
        self.start = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
        if f"{self.start:%Y-%m}" != name:
            message = f"{name!r} is not a month like 2026-11"
            raise ValueError(message)
        self.end = (self.start + timedelta(days=31)).replace(day=1)
        self.name = name

    @property
    def before(self) -> "Month":
        """The month before it."""
        return Month(f"{self.start - timedelta(days=1):%Y-%m}")


def months_due(since: datetime, last: str | None, now: datetime) -> Iterator[Month]:
    """Months to invoice now, oldest first, up to the last that ended long enough ago.

    They begin with the month of `since`, or behind the last one that was invoiced.
    """
    month = Month(f"{since.astimezone(UTC):%Y-%m}") if last is None else _next(Month(last))
    while month.end + SETTLING <= now:
        yield month
        month = _next(month)


def _next(month: Month) -> Month:
    return Month(f"{month.end:%Y-%m}")


class InvoiceState(StrEnum):
    """From `DRAFT` an invoice goes on to the states behind it, and from `UNCOLLECTIBLE` it may still be paid."""

    DRAFT = "draft"
    """Booked here, and not yet sent."""
    OPEN = "open"
    UNCOLLECTIBLE = "uncollectible"
    """Written off: the house bears it."""
    VOID = "void"
    """Taken back: what was used is on the next invoice."""
    PAID = "paid"


_RANKS = {
    InvoiceState.DRAFT: 0,
    InvoiceState.OPEN: 1,
    InvoiceState.UNCOLLECTIBLE: 2,
    InvoiceState.VOID: 3,
    InvoiceState.PAID: 3,
}


def later(known: InvoiceState, seen: InvoiceState) -> InvoiceState:
    """The state after one more sight, which may be an old one: paid and void are final, nothing goes back."""
    return seen if _RANKS[seen] > _RANKS[known] else known


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What a project was charged at one model (`provider/model`); no project for keys that have none."""

    project_id: str
    model: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """One line of an invoice. Its cents are a whole part of what it stands for: those of all lines sum to the total."""

    description: str
    amount: int
    cents: int
    project_id: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An invoice as it is drawn up: `used` of the line, `carried` from the last one, `residue` to the next."""

    lines: tuple[DrawnLine, ...]
    cents: int
    used: int
    carried: int
    residue: int


def used_before(*, extended: int, remaining: int, charged_since: int) -> int:
    """What was used of a line before a moment: of what is missing from it, less what was charged since.

    A line is spent last and no charge says what paid it, so what was charged since counts as paid by the line: at most
    some of an account's use appears a month later, and never a nano-dollar twice.
    """
    return max(0, extended - remaining - charged_since)


def draw_up(charges: Sequence[Charged], *, used: int, carried: int = 0, late: int = 0) -> Drawn:
    """An invoice for what was used of a line, with everything that was charged and what else paid it.

    `late` was charged in earlier months and booked after their invoices. With nothing `used` it is a statement: all was
    paid from credit, nothing is due. Raises `ValueError` for amounts below zero, or a residue of a cent or more.
    """
    if used < 0 or late < 0 or not 0 <= carried < NANO_PER_CENT or any(each.amount < 0 for each in charges):
        raise ValueError("Amounts of an invoice are zero or more, and what is carried is less than a cent.")
    other = used - sum(each.amount for each in charges) - late
    items = [
        *[(_words(each), each.amount, each.project_id, each.model) for each in charges],
        (LATE, late + max(other, 0), "", ""),
        (FROM_CREDIT, min(other, 0), "", ""),
    ]
    items = [item for item in items if item[1]]
    total, residue = divmod(used + carried, NANO_PER_CENT)
    parts = apportion([amount for _, amount, _, _ in items], total)
    lines = [
        DrawnLine(description=words, amount=amount, cents=cents, project_id=project_id, model=model)
        for (words, amount, project_id, model), cents in zip(items, parts, strict=True)
    ]
    return Drawn(lines=tuple(lines), cents=total, used=used, carried=carried, residue=residue)


def apportion(amounts: Sequence[int], total: int) -> list[int]:
    """Cents for each amount that sum to the total: each rounded down, then up where most was cut off.

    The total is what all amounts come to with less than a cent added, rounded down.
    """
    parts = [divmod(amount, NANO_PER_CENT) for amount in amounts]
    cents = [whole for whole, _ in parts]
    by_rest = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))
    for place in by_rest[: total - sum(cents)]:
        cents[place] += 1
    return cents


def _words(charged: Charged) -> str:
    return f"{charged.model}, {f'project {charged.project_id}' if charged.project_id else 'no project'}"


def issue_entries(account_id: str, drawn: Drawn) -> tuple[Entry, ...]:
    """What was used of the line becomes owed in cents; the rest waits in the account's rounding."""
    owed = drawn.cents * NANO_PER_CENT
    return _moved(
        (AccountKind.CREDIT_LINE, account_id, drawn.used),
        (AccountKind.CUSTOMER_RECEIVABLE, account_id, -owed),
        (AccountKind.ROUNDING, account_id, owed - drawn.used),
    )


def state_entries(account_id: str, cents: int, before: InvoiceState, after: InvoiceState) -> tuple[Entry, ...]:
    """What a change of state moves; paying it is the payment's own movement."""
    owed, lost = cents * NANO_PER_CENT, InvoiceState.UNCOLLECTIBLE
    house = owed * ((before is lost) - (after is lost))
    line = -owed if after is InvoiceState.VOID and before is not InvoiceState.VOID else 0
    return _moved(
        (AccountKind.HOUSE_LOSS, "", house),
        (AccountKind.CREDIT_LINE, account_id, line),
        (AccountKind.CUSTOMER_RECEIVABLE, account_id, -house - line),
    )


def lower_entries(account_id: str, amount: int) -> tuple[Entry, ...]:
    """A part of a line that is not used is taken back. Raises `ValueError` unless `amount` is positive."""
    if amount <= 0:
        raise ValueError("What is taken back of a line must be more than zero.")
    return _moved((AccountKind.CUSTOMER_CREDIT, account_id, -amount), (AccountKind.CREDIT_LINE, account_id, amount))


def _moved(*lines: tuple[AccountKind, str, int]) -> tuple[Entry, ...]:
    return tuple([Entry(Account(kind, owner), amount) for kind, owner, amount in lines if amount])
