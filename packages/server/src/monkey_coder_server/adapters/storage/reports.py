"""Reports read beside the writer: sums, and every row a page at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from monkey_coder_server.adapters.storage import retention, rollups, usage_names, usage_sums
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.tables import usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.adapters.storage.usage_filters import chosen_rows, parameters
from monkey_coder_server.ports.statements import Place
from monkey_coder_server.ports.usage_reports import Group, Grouping, Named, UsageLine, Wanted

PAGE = 2_000
REBUILT_AT_ONCE = 7
"""Days: all of a large account in one transaction would hold others up, and take longer than a statement may."""
_OF_ACCOUNT = (
    select(
        usage.c.account_id,
        usage.c.at,
        usage.c.request_id,
        usage.c.key_id,
        func.coalesce(api_keys.c.name, literal_column("''")),
        usage.c.status,
        usage.c.error_code,
        usage.c.provider,
        usage.c.model,
        usage.c.task_type,
        usage.c.persona,
        usage.c.stream,
        usage.c.input_tokens,
        usage.c.cached_tokens,
        usage.c.cache_write_tokens,
        usage.c.output_tokens,
        usage.c.reasoning_tokens,
        usage.c.price,
        usage.c.provider_cost,
        usage.c.latency_ms,
        usage.c.estimated,
        usage.c.receipt_id,
        usage.c.cache_saving,
    )
    .select_from(usage)
    .outerjoin(api_keys, api_keys.c.key_id == usage.c.key_id)
    .where(
        usage.c.account_id == bindparam("account"),
        usage.c.at >= bindparam("start"),
        usage.c.at < bindparam("end"),
        *chosen_rows(usage),
    )
    .limit(bindparam("most"))
)
_LINES = Query(
    _OF_ACCOUNT.where(or_(usage.c.at > bindparam("start"), usage.c.request_id > bindparam("after"))).order_by(
        usage.c.at, usage.c.request_id
    )
)
_NEWEST = Query(
    _OF_ACCOUNT.where(
        or_(
            usage.c.at < bindparam("last"),
            and_(usage.c.at == bindparam("last"), usage.c.request_id < bindparam("before")),
        )
    ).order_by(usage.c.at.desc(), usage.c.request_id.desc())
)
_AT, _REQUEST, _STREAM, _ESTIMATED = 1, 2, 11, 20


class SqlUsageReports:
    """Implements `ports.usage_reports.UsageReports`, and makes and drops what reports are made of."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def grouped(
        self, account_id: str, wanted: Wanted, groupings: Sequence[Grouping]
    ) -> Sequence[Sequence[Group]]:
        """An account's usage parted in several ways, all of one moment."""
        return await self._readers.read_of(account_id, partial(usage_sums.grouped, account_id, wanted, groupings))

    async def newest(
        self, account_id: str, wanted: Wanted, *, most: int, after: Place | None = None
    ) -> Sequence[UsageLine]:
        """An account's requests, newest first, those before a place."""
        last = after or Place(to_micros(wanted.end), "")
        asked = {**_asked(account_id, wanted), "most": most, "last": last.at, "before": last.request_id}
        asked["end"] = min(asked["end"], last.at + 1)
        rows = await self._readers.read_of(account_id, lambda transaction: transaction.rows(_NEWEST, asked))
        return [_line(row) for row in rows]

    async def lines(self, account_id: str | None, wanted: Wanted) -> AsyncIterator[Sequence[UsageLine]]:
        """Every request, a page at a time."""
        async for owner in self._owners(account_id):
            asked = {**_asked(owner, wanted), "after": "", "most": PAGE}
            while page := await self._readers.read_of(owner, partial(_page, dict(asked))):
                yield [_line(row) for row in page]
                asked |= {"start": page[-1][_AT], "after": page[-1][_REQUEST]}
                if len(page) < PAGE:
                    break

    async def unknown(self, account_id: str, kind: Named, names: Sequence[str]) -> Sequence[str]:
        """Those of some names that nothing of the account has."""
        body = partial(usage_names.unknown, account_id, kind, names)
        return await self._readers.read_of(account_id, body)

    async def rows_since(self) -> datetime | None:
        """Since when single requests are kept."""
        since = await self._readers.read(retention.kept_from)
        return from_micros(since) if since else None

    async def rebuild(self) -> None:
        """Make the sums of all days whose rows are kept anew: each account's, some days in a transaction."""
        kept = await self._readers.read(retention.kept_from)
        async for owner in self._owners(None):
            days = await self._readers.read(partial(rollups.days_of, owner, kept))
            for first in range(0, len(days), REBUILT_AT_ONCE):
                await self._writer.perform(partial(rollups.rebuild, owner, days[first : first + REBUILT_AT_ONCE]))

    async def drop_old(self, now: datetime, months: int) -> int:
        """Drop rows from before the `months` last whole months; how many. Sums, entries and receipts stay."""
        kept, dropped = retention.horizon(now, months), 0
        if kept > await self._readers.read(retention.kept_from):
            await self._writer.perform(partial(retention.announce, kept))
        async for owner in self._owners(None):
            while some := await self._writer.perform(partial(retention.drop, owner, kept)):
                dropped += some
        return dropped

    async def drop_counters(self, now: datetime) -> int:
        """Drop the counters of days and months that nothing can count for any more; how many."""
        counted, dropped = retention.counted_from(now), 0
        async for owner in self._owners(None):
            while some := await self._writer.perform(partial(retention.drop_counters, owner, counted)):
                dropped += some
        return dropped

    async def _owners(self, account_id: str | None) -> AsyncIterator[str]:
        if account_id is not None:
            yield account_id
            return
        after = ""
        while owners := await self._readers.read(partial(retention.owners, after)):
            for owner in owners:
                yield owner
            after = owners[-1]


def _asked(account_id: str, wanted: Wanted) -> dict[str, Any]:
    span = {"start": to_micros(wanted.start), "end": to_micros(wanted.end)}
    return {"account": account_id, **span, **parameters(wanted)}


def _page(asked: Mapping[str, Any], transaction: Transaction) -> list[Row]:
    return transaction.rows(_LINES, asked)


def _line(row: Row) -> UsageLine:
    values = list(row)
    values[_AT] = from_micros(values[_AT])
    values[_STREAM], values[_ESTIMATED] = bool(values[_STREAM]), bool(values[_ESTIMATED])
    return UsageLine(*values)
