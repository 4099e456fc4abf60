"""Credit lines: grants that are spent last, against what the account may owe. See `ports.invoicing`."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnClause, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import books, grant_rows, grants, holds
from monkey_coder_server.adapters.storage.invoice_tables import credit_lines, invoices
from monkey_coder_server.adapters.storage.limit_tables import grants as grants_table
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.domain.invoicing import LINE_PRIORITY, Month, lower_entries, months_due
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.invoicing import LineStanding

_NOTHING: ColumnClause[int] = literal_column("0")
_OF_ACCOUNT = credit_lines.c.account_id == bindparam("account")
_LINE = Query(select(credit_lines.c.amount, credit_lines.c.changes).where(_OF_ACCOUNT))
_OPEN = Query(
    insert_or_not(credit_lines)
    .values(account_id=bindparam("account"), amount=_NOTHING, changes=_NOTHING, since=bindparam("since"))
    .on_conflict_do_nothing()
)
_SET = Query(
    update(credit_lines)
    .where(_OF_ACCOUNT)
    .values(amount=bindparam("allowed"), changes=credit_lines.c.changes + literal_column("1"))
)
_LEFT = Query(
    select(grants_table.c.grant_id, grants_table.c.remaining)
    .where(
        grants_table.c.account_id == bindparam("account"),
        grants_table.c.kind == literal_column(f"'{GrantKind.CREDIT_LINE.value}'"),
        grants_table.c.remaining > _NOTHING,
    )
    .order_by(grants_table.c.grant_id)
)
_LAST = Query(
    select(credit_lines.c.account_id, credit_lines.c.since, func.max(invoices.c.period))
    .outerjoin(invoices, invoices.c.account_id == credit_lines.c.account_id)
    .group_by(credit_lines.c.account_id, credit_lines.c.since)
    .order_by(credit_lines.c.account_id)
)


class SqlCreditLines:
    """`ports.invoicing.CreditLines`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def set(self, account_id: str, amount: int, at: datetime) -> LineStanding:
        """Make a line this much in all. Raises `NotFound`, `Conflict`."""
        return await self._writer.perform(partial(_set, account_id, amount, to_micros(at)))

    async def find(self, account_id: str) -> LineStanding | None:
        """The line of an account, if it has one."""
        return await self._readers.read_of(account_id, partial(_find, account_id))

    async def months_due(self, now: datetime) -> Sequence[tuple[str, Month]]:
        """Every account with each month to invoice."""
        rows = await self._readers.report(lambda transaction: transaction.rows(_LAST, {}))
        return [
            (account, month) for account, since, last in rows for month in months_due(from_micros(since), last, now)
        ]


def left(transaction: Transaction, account_id: str) -> int:
    """What can still be spent of a line."""
    return sum(int(row[1]) for row in transaction.rows(_LEFT, {"account": account_id}))


def _find(account_id: str, transaction: Transaction) -> LineStanding | None:
    row = transaction.row(_LINE, {"account": account_id})
    return None if row is None else LineStanding(account_id, int(row[0]), left(transaction, account_id))


def _set(account_id: str, amount: int, now: int, transaction: Transaction) -> LineStanding:
    """Give the difference, or take back what is free of it: a line is never less than what is used of it."""
    wallet = holds.lock_wallet(transaction, account_id)
    transaction.change(_OPEN, {"account": account_id, "since": now})
    [(before, changes)] = transaction.rows(_LINE, {"account": account_id})
    if amount > before:
        grant = grants.Grant(
            account_id,
            amount - before,
            "credit line",
            f"line:{changes + 1}",
            now,
            GrantKind.CREDIT_LINE,
            priority=LINE_PRIORITY,
        )
        grants.give(grant, transaction)
    elif amount < before:
        _lower(transaction, account_id, before - amount, changes + 1, now=now, free=wallet.available, line=before)
    if amount != before:
        transaction.change(_SET, {"account": account_id, "allowed": amount})
    return LineStanding(account_id, amount, left(transaction, account_id))


def _lower(  # noqa: PLR0913 - whose line, by how much, and what there is of it
    transaction: Transaction, account_id: str, part: int, number: int, *, now: int, free: int, line: int
) -> None:
    free = min(free, left(transaction, account_id))
    if part > free:
        message = f"{usd(line - free)} USD of this credit line are used, held or not paid yet; it cannot be less."
        raise Conflict(message, facts={"least_usd": usd(line - free)})
    movement = books.Movement(f"line:{account_id}:{number}", "refund", account_id, now, reason="credit line lowered")
    books.post(transaction, movement, lower_entries(account_id, part))
    holds.move(transaction, account_id, held=0, balance=-part)
    for grant_id, remaining in transaction.rows(_LEFT, {"account": account_id}):
        taken = min(part, int(remaining))
        if taken:
            grant_rows.take(transaction, grant_id, taken)
            part -= taken
