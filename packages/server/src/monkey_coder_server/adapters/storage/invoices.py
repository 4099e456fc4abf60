"""Invoices as rows: drawn up and booked in one transaction, then brought to what was seen of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace
from sqlalchemy import ColumnClause, bindparam, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import books, credit_lines, freezing, holds
from monkey_coder_server.adapters.storage.invoice_tables import invoice_lines, invoices
from monkey_coder_server.adapters.storage.moments import (
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.rollups import DAY
from monkey_coder_server.adapters.storage.tables import entries, wallets
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.invoicing import (
    Charged,
    Drawn,
    DrawnLine,
    InvoiceState,
    Month,
    draw_up,
    issue_entries,
    later,
    state_entries,
    used_before,
)
from monkey_coder_server.domain.ledger import AccountKind, Entry
from monkey_coder_server.domain.payments import Freeze
from monkey_coder_server.ports.invoicing import Invoice, InvoiceItem, Sent

_NOTHING: ColumnClause[int] = literal_column("0")
_COLUMNS = [invoices.c[name] for name in Invoice.__struct_fields__ if name != "items"]
_ADD = Query(insert_or_not(invoices).on_conflict_do_nothing())
_ADD_LINE = Query(insert(invoice_lines))
_LINES = Query(
    select(*[invoice_lines.c[name] for name in InvoiceItem.__struct_fields__])
    .where(invoice_lines.c.invoice_id == bindparam("invoice"))
    .order_by(invoice_lines.c.line)
)
_BY_ID = Query(select(*_COLUMNS).where(invoices.c.invoice_id == bindparam("invoice")))
_OWN = Query(
    select(*_COLUMNS).where(
        invoices.c.invoice_id == bindparam("invoice"), invoices.c.account_id == bindparam("account")
    )
)
_LISTED = (
    select(*_COLUMNS)
    .where(
        invoices.c.account_id == bindparam("account"),
        or_(invoices.c.charged > _NOTHING, invoices.c.cents > _NOTHING),
    )
    .order_by(invoices.c.period.desc())
    .limit(bindparam("most"))
)
_OF_ACCOUNT = Query(_LISTED)
_OF_MONTH = Query(_LISTED.where(invoices.c.period == bindparam("month")))
_UNSENT = Query(
    select(*_COLUMNS)
    .where(invoices.c.state == literal_column("'draft'"))
    .order_by(invoices.c.made_at, invoices.c.invoice_id)
)
_LAST = Query(
    select(invoices.c.period, invoices.c.charged, invoices.c.residue)
    .where(invoices.c.account_id == bindparam("account"))
    .order_by(invoices.c.period.desc())
    .limit(literal_column("1"))
)
_BRING = Query(
    update(invoices)
    .where(invoices.c.invoice_id == bindparam("invoice"))
    .values(
        state=bindparam("new_state"),
        ref=bindparam("new_ref"),
        hosted_url=bindparam("new_url"),
        due_at=bindparam("due"),
        paid_at=bindparam("paid"),
    )
)
_LATE = Query(
    select(invoices.c.account_id)
    .join(wallets, wallets.c.account_id == invoices.c.account_id)
    .where(
        invoices.c.state == literal_column("'open'"),
        invoices.c.due_at <= bindparam("late"),
        wallets.c.frozen == literal_column("''"),
    )
)
_EXTENDED = Query(
    select(func.coalesce(func.sum(-entries.c.amount), _NOTHING)).where(
        entries.c.owner == bindparam("account"),
        entries.c.kind == literal_column(f"'{AccountKind.CREDIT_LINE.value}'"),
    )
)
_SINCE = (usage_daily.c.account_id == bindparam("account"), usage_daily.c.day >= bindparam("first"))
_UNTIL = usage_daily.c.day < bindparam("last")
_CHARGED_SINCE = Query(select(func.coalesce(func.sum(usage_daily.c.price), _NOTHING)).where(*_SINCE))
_CHARGED = Query(select(func.coalesce(func.sum(usage_daily.c.price), _NOTHING)).where(*_SINCE, _UNTIL))
_PROJECT = func.coalesce(api_keys.c.project_id, literal_column("''"))
_BY_MODEL = Query(
    select(_PROJECT, usage_daily.c.provider, usage_daily.c.model, func.sum(usage_daily.c.price))
    .outerjoin(api_keys, api_keys.c.key_id == usage_daily.c.key_id)
    .where(*_SINCE, _UNTIL, usage_daily.c.price > _NOTHING)
    .group_by(_PROJECT, usage_daily.c.provider, usage_daily.c.model)
    .order_by(_PROJECT, usage_daily.c.provider, usage_daily.c.model)
)


class SqlInvoices:
    """`ports.invoicing.Invoices`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def close(self, account_id: str, month: Month, at: datetime) -> Invoice | None:
        """Draw up the invoice of a month and book it, once."""
        return await self._writer.perform(partial(_close, account_id, month, to_micros(at)))

    async def unsent(self) -> Sequence[Invoice]:
        """Invoices with something due that the processor does not know of."""
        return await self._readers.read(
            lambda reading: [_with_items(reading, row) for row in reading.rows(_UNSENT, {})]
        )

    async def bring(self, invoice_id: str, sent: Sent, at: datetime) -> Invoice | None:
        """Bring an invoice to what was seen of it."""
        return await self._writer.perform(partial(_bring, invoice_id, sent, to_micros(at)))

    async def freeze_overdue(self, now: datetime) -> Sequence[str]:
        """Freeze accounts whose invoices are long overdue; which were frozen by this."""
        at = to_micros(now)
        rows = await self._readers.read(lambda reading: reading.rows(_LATE, {"late": at - freezing.LATE}))
        late = sorted({account_id for (account_id,) in rows})
        return [each for each in late if await self._writer.perform(partial(_freeze, each, at)) == Freeze.OVERDUE]

    async def of_account(self, account_id: str, *, month: str | None, most: int) -> Sequence[Invoice]:
        """An account's invoices, newest first."""
        wanted = {"account": account_id, "most": most}
        query, wanted = (_OF_ACCOUNT, wanted) if month is None else (_OF_MONTH, {**wanted, "month": month})
        return await self._readers.read_of(account_id, lambda reading: list(map(_invoice, reading.rows(query, wanted))))

    async def find(self, account_id: str, invoice_id: str) -> Invoice | None:
        """An invoice of an account, with its lines."""

        def body(reading: Transaction) -> Invoice | None:
            row = reading.row(_OWN, {"account": account_id, "invoice": invoice_id})
            return None if row is None else _with_items(reading, row)

        return await self._readers.read_of(account_id, body)

    async def by_id(self, invoice_id: str) -> Invoice | None:
        """Whoever's it is, without its lines."""
        row = await self._readers.read(lambda reading: reading.row(_BY_ID, {"invoice": invoice_id}))
        return None if row is None else _invoice(row)

    async def charged(self, account_id: str, month: Month) -> Sequence[InvoiceItem]:
        """What an account was charged in a month by project and model."""
        charges = await self._readers.read_of(account_id, partial(_charges, account_id, month))
        return [InvoiceItem("", each.project_id, each.model, each.amount, 0) for each in charges]


def _close(account_id: str, month: Month, now: int, transaction: Transaction) -> Invoice | None:
    holds.lock_wallet(transaction, account_id)
    last = transaction.row(_LAST, {"account": account_id})
    if last is not None and last[0] >= month.name:
        return None
    drawn = _draw_up(transaction, account_id, month, last)
    made = Invoice(
        f"inv_{month.name}_{account_id}",
        account_id,
        month.name,
        InvoiceState.DRAFT if drawn.cents else InvoiceState.PAID,
        drawn.cents,
        sum(line.amount for line in drawn.lines if line.model),
        drawn.used,
        from_micros(now),
    )
    transaction.change(_ADD, _row(made, drawn, now))
    for place, line in enumerate(drawn.lines):
        transaction.change(_ADD_LINE, _line_row(made, place, line))
    _post(transaction, made, made.invoice_id, issue_entries(account_id, drawn), now=now)
    return made


def _draw_up(transaction: Transaction, account_id: str, month: Month, last: Row | None) -> Drawn:
    """From what is missing of the line, what was charged in the month, and what came too late for the last invoice."""
    [(extended,)] = transaction.rows(_EXTENDED, {"account": account_id})
    since = {"account": account_id, "first": to_micros(month.end) // DAY}
    [(charged_since,)] = transaction.rows(_CHARGED_SINCE, since)
    used = used_before(
        extended=int(extended),
        remaining=credit_lines.left(transaction, account_id),
        charged_since=int(charged_since),
    )
    late = carried = 0
    if last is not None:
        period, charged, carried = Month(last[0]), int(last[1]), int(last[2])
        [(now_charged,)] = transaction.rows(_CHARGED, _within(account_id, period))
        late = max(0, int(now_charged) - charged)
    return draw_up(_charges(account_id, month, transaction), used=used, carried=carried, late=late)


def _charges(account_id: str, month: Month, transaction: Transaction) -> list[Charged]:
    return [
        Charged(project_id=project, model=f"{provider}/{model}", amount=int(amount))
        for project, provider, model, amount in transaction.rows(_BY_MODEL, _within(account_id, month))
    ]


def _within(account_id: str, month: Month) -> dict[str, str | int]:
    """A month's days: those of UTC, as usage is summed by."""
    return {"account": account_id, "first": to_micros(month.start) // DAY, "last": to_micros(month.end) // DAY}


def _bring(invoice_id: str, sent: Sent, now: int, transaction: Transaction) -> Invoice | None:
    """What is final stays, and what is known of the processor's names is not forgotten."""
    row = transaction.row(_BY_ID, {"invoice": invoice_id})
    if row is None:
        return None
    holds.lock_wallet(transaction, _invoice(row).account_id)
    [row] = transaction.rows(_BY_ID, {"invoice": invoice_id})
    before = _invoice(row)
    state = later(before.state, sent.state)
    after = replace(
        before,
        state=state,
        ref=before.ref or sent.ref,
        hosted_url=sent.hosted_url or before.hosted_url,
        due_at=before.due_at or sent.due_at,
        paid_at=before.paid_at or (from_micros(now) if state is InvoiceState.PAID else None),
    )
    lines = state_entries(before.account_id, before.cents, before.state, state)
    _post(transaction, before, f"{invoice_id}:{before.state}:{state}", lines, now=now)
    if after != before:
        transaction.change(_BRING, _brought(after))
        freezing.bring(transaction, before.account_id, now)
    return after


def _freeze(account_id: str, now: int, transaction: Transaction) -> str:
    holds.lock_wallet(transaction, account_id)
    return freezing.bring(transaction, account_id, now).frozen


def _post(transaction: Transaction, invoice: Invoice, name: str, lines: Sequence[Entry], *, now: int) -> None:
    if lines:
        reason = f"invoice of {invoice.period}"
        movement = books.Movement(f"invoice:{name}", "invoice", invoice.account_id, now, reason=reason)
        books.post(transaction, movement, lines)


def _brought(invoice: Invoice) -> dict[str, str | int | None]:
    return {
        "invoice": invoice.invoice_id,
        "new_state": invoice.state.value,
        "new_ref": invoice.ref,
        "new_url": invoice.hosted_url,
        "due": optional_to_micros(invoice.due_at),
        "paid": optional_to_micros(invoice.paid_at),
    }


def _row(made: Invoice, drawn: Drawn, now: int) -> dict[str, str | int | None]:
    return {
        "invoice_id": made.invoice_id,
        "account_id": made.account_id,
        "period": made.period,
        "state": made.state.value,
        "cents": made.cents,
        "charged": made.charged,
        "used": made.used,
        "residue": drawn.residue,
        "made_at": now,
        "due_at": None,
        "paid_at": None,
        "ref": "",
        "hosted_url": "",
    }


def _line_row(made: Invoice, place: int, item: DrawnLine) -> dict[str, str | int]:
    return {
        "invoice_id": made.invoice_id,
        "line": place,
        "account_id": made.account_id,
        "description": item.description,
        "project_id": item.project_id,
        "model": item.model,
        "amount": item.amount,
        "cents": item.cents,
    }


def _with_items(reading: Transaction, row: Row) -> Invoice:
    made = _invoice(row)
    return replace(made, items=[InvoiceItem(*each) for each in reading.rows(_LINES, {"invoice": made.invoice_id})])


def _invoice(row: Row) -> Invoice:
    named = dict(zip([column.name for column in _COLUMNS], row, strict=True))
    named |= {name: optional_from_micros(named[name]) for name in ("made_at", "due_at", "paid_at")}
    return Invoice(**{**named, "state": InvoiceState(named["state"])})
