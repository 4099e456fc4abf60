"""What alerts look at, read from the books at one moment; figures no alert asks for are not read."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select

from monkey_coder_server.adapters.storage import limits
from monkey_coder_server.adapters.storage.invoice_tables import invoices
from monkey_coder_server.adapters.storage.moments import EPOCH, to_micros
from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.top_up_tables import top_up_charges
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.alerts import AlertKind, Figures, Owed
from monkey_coder_server.domain.errors import NotFound

_MOST: ColumnElement[int] = literal_column("100")
"""So many invoices or payments are looked at."""
_WALLET = Query(select(wallets.c.balance, wallets.c.frozen).where(wallets.c.account_id == bindparam("account")))
_SPENT = Query(
    select(func.coalesce(func.sum(usage_daily.c.price), literal_column("0"))).where(
        usage_daily.c.account_id == bindparam("account"),
        usage_daily.c.day >= bindparam("first"),
        usage_daily.c.day <= bindparam("today"),
    )
)
_OVERDUE = Query(
    select(invoices.c.invoice_id, invoices.c.cents)
    .where(
        invoices.c.account_id == bindparam("account"),
        invoices.c.state == literal_column("'open'"),
        invoices.c.due_at <= bindparam("now"),
    )
    .order_by(invoices.c.due_at)
    .limit(_MOST)
)
_FAILED = Query(
    select(top_up_charges.c.sequence, top_up_charges.c.cents)
    .where(
        top_up_charges.c.account_id == bindparam("account"),
        top_up_charges.c.state == literal_column("'failed'"),
        top_up_charges.c.at >= bindparam("since"),
    )
    .order_by(top_up_charges.c.sequence.desc())
    .limit(_MOST)
)


def of_account(
    account_id: str, kinds: Collection[AlertKind], since: datetime, now: datetime, transaction: Transaction
) -> Figures:
    """The figures of an account that alerts of these kinds look at. Raises `NotFound`."""
    wallet = transaction.row(_WALLET, {"account": account_id})
    if wallet is None:
        message = f"The account {account_id} has no wallet."
        raise NotFound(message)
    today = now.astimezone(UTC).date()
    last = (today - EPOCH.date()).days

    def spent(first: int) -> int:
        [(total,)] = transaction.rows(_SPENT, {"account": account_id, "first": first, "today": last})
        return int(total)

    def owed(query: Query, **of: int) -> tuple[Owed, ...]:
        return tuple([_owed(row) for row in transaction.rows(query, {"account": account_id, **of})])

    read: Mapping[AlertKind, tuple[str, Callable[[], Any]]] = {
        AlertKind.SPENT_DAY: ("spent_day", lambda: spent(last)),
        AlertKind.SPENT_MONTH: ("spent_month", lambda: spent(last - today.day + 1)),
        AlertKind.LIMIT_SHARE: ("limits", lambda: tuple(limits.standings_of(account_id, now, transaction))),
        AlertKind.INVOICE_OVERDUE: ("overdue", lambda: owed(_OVERDUE, now=to_micros(now))),
        AlertKind.TOP_UP_FAILED: ("failed_top_ups", lambda: owed(_FAILED, since=to_micros(since))),
    }
    found = {name: look() for kind, (name, look) in read.items() if kind in kinds}
    return Figures(at=now, balance=wallet[0], frozen=wallet[1], **found)


def _owed(row: Row) -> Owed:
    return Owed(str(row[0]), row[1])
