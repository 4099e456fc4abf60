"""Usage summed by day, account, key, model and persona: kept in the transaction that writes the usage row itself.

So a sum is never ahead of its rows or behind them, and a row counts exactly once. `rebuild` makes the sums anew from
the rows; `ledger verify` compares the two.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_add

from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.tables import usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.usage_reports import UsageSum

DAY = 86_400_000_000
HOUR = 3_600_000_000
"""Microseconds."""
_KEY = ("account_id", "day", "key_id", "provider", "model", "persona")
_SUMS = (
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
)
_NAMED = 5
"""Where in a row of sums the counts begin, behind hour, key, provider, model and persona."""
_WRITE = insert_or_add(usage_daily)
_ADD = Query(
    _WRITE.on_conflict_do_update(
        index_elements=[usage_daily.c[name] for name in _KEY],
        set_={name: usage_daily.c[name] + _WRITE.excluded[name] for name in _SUMS},
    )
)


def _sum_of(name: str) -> ColumnElement[Any]:
    return func.sum(usage.c[name]).label(name)


_HOUR_OF_ROW = usage.c.at // literal_column(str(HOUR))
_DAY_OF_ROW = usage.c.at // literal_column(str(DAY))
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")
_SUMS_OF_ROWS = (
    func.count().label("requests"),
    func.sum(case((usage.c.status == literal_column("'served'"), _NONE), else_=_ONE)).label("failed"),
    *(_sum_of(name) for name in _SUMS[2:-1]),
    func.sum(case((usage.c.estimated, _ONE), else_=_NONE)).label("estimated"),
)
_WHO = (usage.c.key_id, usage.c.provider, usage.c.model, usage.c.persona)
_FORGET = Query(delete(usage_daily).where(usage_daily.c.day >= bindparam("first")))
_REBUILD = Query(
    insert_or_add(usage_daily).from_select(
        ["account_id", "day", "key_id", "provider", "model", "persona", *_SUMS],
        select(usage.c.account_id, _DAY_OF_ROW, *_WHO, *_SUMS_OF_ROWS)
        .where(usage.c.at >= bindparam("start"))
        .group_by(usage.c.account_id, _DAY_OF_ROW, *_WHO),
    )
)
_OF_DAYS = Query(
    select(
        (usage_daily.c.day * literal_column("24")).label("hour"),
        *(usage_daily.c[name] for name in ("key_id", "provider", "model", "persona", *_SUMS)),
    )
    .where(
        usage_daily.c.account_id == bindparam("account"),
        usage_daily.c.day >= bindparam("first"),
        usage_daily.c.day < bindparam("last"),
    )
    .order_by(usage_daily.c.day, usage_daily.c.key_id, usage_daily.c.provider, usage_daily.c.model)
)
_OF_ROWS = Query(
    select(_HOUR_OF_ROW.label("hour"), *_WHO, *_SUMS_OF_ROWS)
    .where(usage.c.account_id == bindparam("account"), usage.c.at >= bindparam("start"), usage.c.at < bindparam("end"))
    .group_by(_HOUR_OF_ROW, *_WHO)
    .order_by(_HOUR_OF_ROW, usage.c.key_id, usage.c.provider, usage.c.model)
)


def add(transaction: Transaction, rows: Iterable[Mapping[str, Any]]) -> None:
    """Count usage rows in as they are written. They have the columns of `usage`.

    Sums are written in the order of their keys, so that two processes never wait for each other in a circle.
    """
    together: defaultdict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        together[_key_of(row)].append(row)
    _write(transaction, {key: _counts(of_key) for key, of_key in together.items()})


def take_out(transaction: Transaction, row: Mapping[str, Any]) -> None:
    """Count a row out again that is dropped because its true end became known."""
    _write(transaction, {_key_of(row): {name: -count for name, count in _counts([row]).items()}})


def _key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["account_id"], row["at"] // DAY, *(row[name] for name in _KEY[2:]))


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    sums = {name: sum([int(row[name]) for row in rows]) for name in _SUMS[2:]}
    return {"requests": len(rows), "failed": sum([row["status"] != "served" for row in rows]), **sums}


def _write(transaction: Transaction, sums: Mapping[tuple[Any, ...], Mapping[str, int]]) -> None:
    rows = [{**dict(zip(_KEY, key, strict=True)), **{name: sums[key][name] for name in _SUMS}} for key in sorted(sums)]
    if rows:
        transaction.change_each(_ADD, rows)


def rebuild(transaction: Transaction, *, kept_from: int) -> None:
    """Make the sums of all days since `kept_from` (microseconds, a day's beginning) anew from the rows."""
    transaction.change(_FORGET, {"first": kept_from // DAY})
    transaction.change(_REBUILD, {"start": kept_from})


def between(account_id: str, start: int, end: int, hourly: bool, transaction: Transaction) -> Sequence[UsageSum]:  # noqa: FBT001 - a reader's body is called by position
    """An account's sums with start ≤ t < end (microseconds), oldest first.

    Whole days come from the sums that are kept, hours and the parts of days at both ends from the rows.
    """
    first, last = -(-start // DAY), end // DAY
    if hourly or first >= last:
        return _of_rows(account_id, start, end, transaction)
    days = transaction.rows(_OF_DAYS, {"account": account_id, "first": first, "last": last})
    before = _of_rows(account_id, start, first * DAY, transaction)
    return [*before, *map(_sum, days), *_of_rows(account_id, last * DAY, end, transaction)]


def _of_rows(account_id: str, start: int, end: int, transaction: Transaction) -> list[UsageSum]:
    if start >= end:
        return []
    rows = transaction.rows(_OF_ROWS, {"account": account_id, "start": start, "end": end})
    return [_sum(row) for row in rows]


def _sum(row: Row) -> UsageSum:
    """A row of sums; PostgreSQL gives sums of BIGINT as exact decimals."""
    hour, *who = row[:_NAMED]
    return UsageSum(int(hour), *who, *map(int, row[_NAMED:]))
