"""Usage summed by day, account, key, model and persona: kept in the transaction that writes the usage row itself.

So a sum is never ahead of its rows or behind them, and a row counts exactly once. `rebuild` makes the sums anew from
the rows; `ledger verify` compares the two.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_add

from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.tables import usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction

DAY = 86_400_000_000
HOUR = 3_600_000_000
"""Microseconds."""
_KEY = ("account_id", "day", "key_id", "provider", "model", "persona")
SUMS = (
    "requests",
    "failed",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "price",
    "provider_cost",
    "latency_ms",
    "estimated",
    "cache_saving",
)
"""What is summed, in the order of `ports.usage_reports.Figures`."""
_NOTHING = (0,) * len(SUMS)
_AT_COLUMN = {name: number for number, name in enumerate(usage.c.keys())}
_ACCOUNT, _AT, _STATUS = _AT_COLUMN["account_id"], _AT_COLUMN["at"], _AT_COLUMN["status"]
_NAMED = itemgetter(*[_AT_COLUMN[name] for name in _KEY[2:]])
_FIGURES = itemgetter(*[_AT_COLUMN[name] for name in SUMS[2:]])
_WRITE = insert_or_add(usage_daily)
_ADD = Query(
    _WRITE.on_conflict_do_update(
        index_elements=[usage_daily.c[name] for name in _KEY],
        set_={name: usage_daily.c[name] + _WRITE.excluded[name] for name in SUMS},
    )
)


def _sum_of(name: str) -> ColumnElement[Any]:
    return func.sum(usage.c[name]).label(name)


_DAY_OF_ROW = usage.c.at // literal_column(str(DAY))
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")
_SUMS_OF_ROWS = (
    func.count().label("requests"),
    func.sum(case((usage.c.status == literal_column("'served'"), _NONE), else_=_ONE)).label("failed"),
    *(_sum_of(name) for name in SUMS[2:-2]),
    func.sum(case((usage.c.estimated, _ONE), else_=_NONE)).label("estimated"),
    _sum_of("cache_saving"),
)
_WHO = (usage.c.key_id, usage.c.provider, usage.c.model, usage.c.persona)
_ROWS_SPAN = Query(
    select(func.min(usage.c.at), func.max(usage.c.at)).where(
        usage.c.account_id == bindparam("account"), usage.c.at >= bindparam("start")
    )
)
_SUMS_SPAN = Query(
    select(func.min(usage_daily.c.day), func.max(usage_daily.c.day)).where(
        usage_daily.c.account_id == bindparam("account"), usage_daily.c.day >= bindparam("first")
    )
)
_FORGET = Query(
    delete(usage_daily).where(
        usage_daily.c.account_id == bindparam("account"),
        usage_daily.c.day >= bindparam("first"),
        usage_daily.c.day < bindparam("last"),
    )
)
_REBUILD = Query(
    insert_or_add(usage_daily).from_select(
        ["account_id", "day", "key_id", "provider", "model", "persona", *SUMS],
        select(usage.c.account_id, _DAY_OF_ROW, *_WHO, *_SUMS_OF_ROWS)
        .where(
            usage.c.account_id == bindparam("account"), usage.c.at >= bindparam("start"), usage.c.at < bindparam("end")
        )
        .group_by(usage.c.account_id, _DAY_OF_ROW, *_WHO),
    )
)


def add(transaction: Transaction, rows: Iterable[Row]) -> None:
    """Count usage rows in as they are written.

    Sums are written in the order of their keys, so that two processes never wait for each other in a circle.
    """
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        key = _key_of(row)
        sums[key] = list(map(operator.add, sums.get(key, _NOTHING), _counted(row)))
    _write(transaction, sums)


def take_out(transaction: Transaction, row: Row) -> None:
    """Count a row out again that is dropped because its true end became known."""
    _write(transaction, {_key_of(row): list(map(operator.sub, _NOTHING, _counted(row)))})


def _key_of(row: Row) -> tuple[Any, ...]:
    return (row[_ACCOUNT], row[_AT] // DAY, *_NAMED(row))


def _counted(row: Row) -> tuple[int, ...]:
    """What one row adds to each sum, in their order."""
    return (1, row[_STATUS] != "served", *_FIGURES(row))


def _write(transaction: Transaction, sums: Mapping[tuple[Any, ...], Sequence[int]]) -> None:
    columns = (*_KEY, *SUMS)
    rows = [dict(zip(columns, (*key, *sums[key]), strict=True)) for key in sorted(sums)]
    if rows:
        transaction.change_each(_ADD, rows)


def days_of(account_id: str, kept_from: int, transaction: Transaction) -> range:
    """The days from the first to the last, since `kept_from` (microseconds), that an account has rows or sums of."""
    rows = transaction.row(_ROWS_SPAN, {"account": account_id, "start": kept_from}) or ()
    sums = transaction.row(_SUMS_SPAN, {"account": account_id, "first": kept_from // DAY}) or ()
    found = [at // DAY for at in rows if at is not None] + [day for day in sums if day is not None]
    return range(min(found), max(found) + 1) if found else range(0)


def rebuild(account_id: str, days: range, transaction: Transaction) -> None:
    """Make an account's sums of some days anew from its rows."""
    first, last = days.start, days.stop
    transaction.change(_FORGET, {"account": account_id, "first": first, "last": last})
    transaction.change(_REBUILD, {"account": account_id, "start": first * DAY, "end": last * DAY})
