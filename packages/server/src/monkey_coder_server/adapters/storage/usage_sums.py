"""Usage of an account parted in several ways: whole days from the sums that are kept, everything else from the rows."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.rollups import DAY, HOUR, SUMS
from monkey_coder_server.adapters.storage.tables import usage
from monkey_coder_server.adapters.storage.team_tables import projects
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.adapters.storage.usage_filters import chosen, chosen_rows, parameters
from monkey_coder_server.ports.usage_reports import Dimension, Figures, Group, Grouping, GroupPlace, Wanted

_BY_TIME = frozenset({"hour", "day"})
_OF_ROWS = frozenset({"hour", "cache"})
"""What sums of days do not know."""
_ONE: ColumnElement[int] = literal_column("1", Integer)
_NONE: ColumnElement[int] = literal_column("0", Integer)
_NOTHING = literal_column("''", Text)
_FAILED = case((usage.c.status == literal_column("'served'"), _NONE), else_=_ONE)
_ESTIMATED = case((usage.c.estimated, _ONE), else_=_NONE)
_WHO = ("key_id", "provider", "model", "persona")


def grouped(
    account_id: str, wanted: Wanted, groupings: Sequence[Grouping], transaction: Transaction
) -> Sequence[Sequence[Group]]:
    """The groups of each grouping."""
    asked = {"account": account_id, **parameters(wanted)}
    return [_groups(transaction, {**asked, **_span(wanted, each)}, each) for each in groupings]


def _groups(transaction: Transaction, asked: Mapping[str, Any], grouping: Grouping) -> list[Group]:
    by, place = grouping.by, grouping.after
    after: dict[str, Any] = {}
    if not _BY_TIME.issuperset(by):
        after = {"price_after": -1 if place is None else place.price, **_names_after(by, place)}
    found = transaction.rows(_query(by, place is not None), {**asked, **after, "most": grouping.most})
    return [_group(row, len(by)) for row in found]


def _names_after(by: Sequence[Dimension], place: GroupPlace | None) -> dict[str, str]:
    names = place.names if place is not None else [""] * len(by)
    return {f"after_{number}": name for number, name in enumerate(names)}


def _span(wanted: Wanted, grouping: Grouping) -> dict[str, int]:
    """Whole days, and the rows before and behind them, in microseconds; all of them rows where sums do not say enough.

    Only the grouping by what sums do not know reads every row, not those beside it.
    """
    start, end = to_micros(wanted.start), to_micros(wanted.end)
    first, last = -(-start // DAY), end // DAY
    if not _OF_ROWS.isdisjoint(grouping.by) or wanted.statuses or first >= last:
        return {"first": 0, "last": 0, "start": start, "head": end, "tail": end, "end": end}
    return {"first": first, "last": last, "start": start, "head": first * DAY, "tail": last * DAY, "end": end}


def _parts() -> CTE:
    days = select(
        (usage_daily.c.day * literal_column("24", Integer)).label("hour"),
        *[usage_daily.c[name] for name in (*_WHO, *SUMS)],
    ).where(
        usage_daily.c.account_id == bindparam("account"),
        usage_daily.c.day >= bindparam("first"),
        usage_daily.c.day < bindparam("last"),
        *chosen(usage_daily),
    )
    return union_all(days, _rows("start", "head"), _rows("tail", "end")).cte("parts")


def _rows(start: str, end: str) -> Select[Any]:
    counted = [usage.c[name] for name in SUMS if name not in {"requests", "failed", "estimated"}]
    named = {each.name: each for each in counted}
    sums = {"requests": _ONE, "failed": _FAILED, "estimated": _ESTIMATED, **named}
    return select(
        (usage.c.at // literal_column(str(HOUR))).label("hour"),
        *[usage.c[name] for name in _WHO],
        *[sums[name].label(name) for name in SUMS],
    ).where(
        usage.c.account_id == bindparam("account"),
        usage.c.at >= bindparam(start),
        usage.c.at < bindparam(end),
        *chosen_rows(usage),
    )


@cache
def _query(by: tuple[Dimension, ...], behind: bool) -> Query:  # noqa: FBT001 - what a statement is made of
    """There are as many as there are ways to group, which the route bounds."""
    parts = _parts()
    sources: Any = parts.outerjoin(api_keys, api_keys.c.key_id == parts.c.key_id)
    project = func.coalesce(api_keys.c.project_id, _NOTHING)
    day = parts.c.hour // literal_column("24", Integer)
    columns: dict[str, Any] = {
        "hour": parts.c.hour,
        "day": day,
        "provider": parts.c.provider,
        "model": parts.c.provider + literal_column("'/'", Text) + parts.c.model,
        "key": parts.c.key_id,
        "project": project,
        "persona": parts.c.persona,
        "cache": _cache_of(parts),
    }
    labels: dict[str, Any] = {"key": func.max(func.coalesce(api_keys.c.name, _NOTHING))}
    if "project" in by:
        sources = sources.outerjoin(
            projects,
            and_(projects.c.account_id == bindparam("account"), projects.c.project_id == api_keys.c.project_id),
        )
        labels["project"] = func.max(func.coalesce(projects.c.name, _NOTHING))
    names = [columns[each] for each in by]
    price = func.sum(parts.c.price)
    asked = select(
        *[each.label(f"name_{number}") for number, each in enumerate(names)],
        *[labels.get(each, _NOTHING).label(f"label_{number}") for number, each in enumerate(by)],
        *[func.sum(parts.c[name]).label(f"sum_{name}") for name in SUMS],
    ).select_from(sources if {"key", "project"} & {*by} else parts)
    asked = asked.group_by(*names).having(func.sum(parts.c.requests) > _NONE).limit(bindparam("most"))
    if _BY_TIME.issuperset(by):
        return Query(asked.order_by(*names))
    if behind:
        last = tuple_(*[bindparam(f"after_{number}", type_=Text) for number in range(len(names))])
        dearest: ColumnElement[int] = bindparam("price_after")
        asked = asked.having(or_(price < dearest, and_(price == dearest, tuple_(*names) > last)))
    return Query(asked.order_by(price.desc(), *names))


def _cache_of(row: CTE) -> ColumnElement[str]:
    """Which cache spared something of a request, or cost more than it spared. An answer given again used no tokens."""
    return case(
        (row.c.cache_saving == _NONE, literal_column("'none'", Text)),
        (row.c.input_tokens == _NONE, literal_column("'response'", Text)),
        else_=literal_column("'prompt'", Text),
    )


def _group(row: Row, size: int) -> Group:
    """PostgreSQL gives sums of BIGINT as exact decimals."""
    names, labels, figures = row[:size], row[size : 2 * size], row[2 * size :]
    return Group(tuple(map(str, names)), tuple(labels), Figures(*map(int, figures)))
