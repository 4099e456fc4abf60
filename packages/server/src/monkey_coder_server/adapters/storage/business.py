"""Business in sums, from `usage_daily` and the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from monkey_coder_server.adapters.storage.moments import EPOCH, to_micros
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row
from monkey_coder_server.domain.business import Moved, Takings
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.ports.business import By, Promotional
from monkey_coder_server.ports.ledger import HOUSE

_SUMS = "SUM(u.requests), SUM(u.failed), SUM(u.price), SUM(u.provider_cost), SUM(u.estimated), SUM(u.cache_saving)"
_DAYS = "WHERE u.day >= :first AND u.day < :last"
_PLANNED = (
    "LEFT JOIN account_plans p ON p.account_id = u.account_id "
    "AND p.starts_at <= u.day * 86400000000 AND p.ends_at > u.day * 86400000000"
)
_NAMES = {
    By.PROVIDER: ("u.provider", ""),
    By.MODEL: ("u.provider || '/' || u.model", ""),
    By.PLAN: (f"COALESCE(p.plan_id, '{DEFAULT_PLAN}')", _PLANNED),
    By.CUSTOMER: ("u.account_id", ""),
    By.DAY: ("u.day", ""),
}


def _lines(by: By) -> Query:
    name, joined = _NAMES[by]
    order = "1" if by is By.DAY else "4 DESC, 1"
    sums = f"SELECT {name}, {_SUMS} FROM usage_daily u {joined} {_DAYS}"  # noqa: S608 - constants of this file
    return Query(text(f"{sums} GROUP BY {name} ORDER BY {order} LIMIT :most"))


_TAKINGS = {by: _lines(by) for by in By}
_TOTAL = Query(text(f"SELECT '', {_SUMS} FROM usage_daily u {_DAYS}"))  # noqa: S608 - as above
_MOVED = Query(
    text("""
    SELECT t.kind, t.account_id = :house, e.kind, SUM(e.amount)
    FROM transactions t JOIN entries e ON e.transaction_id = t.transaction_id
    WHERE t.at >= :start AND t.at < :end GROUP BY t.kind, t.account_id = :house, e.kind
    """)
)
_ESTIMATED = Query(
    text("""
    SELECT COALESCE(SUM(c.cost), 0) FROM provider_costs c
    WHERE c.at >= :start AND c.at < :end AND c.estimated AND NOT EXISTS (
        SELECT 1 FROM transactions t WHERE t.transaction_id = 'correct:' || c.transaction_id || '/' || c.line
    )
    """)
)
_PROMOTIONAL = Query(
    text("""
    SELECT COALESCE(SUM(amount), 0), COALESCE(SUM(remaining), 0) FROM grants
    WHERE at >= :start AND at < :end AND (kind = 'promo' OR kind = 'trial')
    """)
)


class SqlBusiness:
    """`ports.business.Business`. What looks at more than sums is read as reports are."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def takings(self, first: date, last: date, by: By, *, most: int) -> Sequence[Takings]:
        """At most so many lines, those of the largest revenue; days in their order."""
        wanted = {**_days(first, last), "most": most}
        rows = await self._readers.report(lambda reading: reading.rows(_TAKINGS[by], wanted))
        lines = [_takings(row) for row in rows]
        return [_named_by_day(each, row[0]) for each, row in zip(lines, rows, strict=True)] if by is By.DAY else lines

    async def total(self, first: date, last: date) -> Takings:
        """All of them together."""
        [row] = await self._readers.report(lambda reading: reading.rows(_TOTAL, _days(first, last)))
        return _takings(row)

    async def moved(self, first: date, last: date) -> Sequence[Moved]:
        """What the ledger moved, by kind of transaction and of account."""
        wanted = {**_span(first, last), "house": HOUSE}
        rows = await self._readers.report(lambda reading: reading.rows(_MOVED, wanted))
        return [Moved(kind, bool(house), account, int(amount)) for kind, house, account, amount in rows]

    async def estimated_cost(self, first: date, last: date) -> int:
        """What is booked as provider cost by estimate, and not corrected since."""
        [row] = await self._readers.report(lambda reading: reading.rows(_ESTIMATED, _span(first, last)))
        return int(row[0])

    async def promotional(self, first: date, last: date) -> Promotional:
        """Trial and promotional credit."""
        [row] = await self._readers.report(lambda reading: reading.rows(_PROMOTIONAL, _span(first, last)))
        return Promotional(*map(int, row))


def _takings(row: Row) -> Takings:
    """A row of sums; PostgreSQL gives sums of BIGINT as exact decimals, and both give none for no rows."""
    return Takings(str(row[0]), *(int(each or 0) for each in row[1:]))


def _named_by_day(line: Takings, day: int) -> Takings:
    return replace(line, name=(EPOCH + timedelta(days=day)).date().isoformat())


def _days(first: date, last: date) -> Parameters:
    return {"first": (first - EPOCH.date()).days, "last": (last - EPOCH.date()).days + 1}


def _span(first: date, last: date) -> Parameters:
    return {"start": _midnight(first), "end": _midnight(last + timedelta(days=1))}


def _midnight(day: date) -> int:
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
