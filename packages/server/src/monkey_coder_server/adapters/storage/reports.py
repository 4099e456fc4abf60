"""Reports read beside the writer: sums, and every row a page at a time."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, literal_column, or_, select

from monkey_coder_server.adapters.storage import retention, rollups
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.tables import usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.usage_reports import UsageLine, UsageSum

PAGE = 2_000
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
    )
    .select_from(usage)
    .outerjoin(api_keys, api_keys.c.key_id == usage.c.key_id)
    .where(usage.c.account_id == bindparam("account"), usage.c.at >= bindparam("start"), usage.c.at < bindparam("end"))
    .limit(bindparam("most"))
)
_LINES = Query(
    _OF_ACCOUNT.where(or_(usage.c.at > bindparam("start"), usage.c.request_id > bindparam("after"))).order_by(
        usage.c.at, usage.c.request_id
    )
)
_NEWEST = Query(_OF_ACCOUNT.order_by(usage.c.at.desc(), usage.c.request_id.desc()))
_AT, _REQUEST, _STREAM, _ESTIMATED = 1, 2, 11, 20


class SqlUsageReports:
    """Implements `ports.usage_reports.UsageReports`, and makes and drops what reports are made of."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def sums(self, account_id: str, *, start: datetime, end: datetime, hourly: bool) -> Sequence[UsageSum]:
        """An account's usage with start ≤ t < end in sums."""
        body = partial(rollups.between, account_id, to_micros(start), to_micros(end), hourly)
        return await self._readers.read_of(account_id, body)

    async def newest(self, account_id: str, *, start: datetime, end: datetime, most: int) -> Sequence[UsageLine]:
        """The newest requests of an account with start ≤ t < end, oldest first."""
        wanted = {"account": account_id, "start": to_micros(start), "end": to_micros(end), "most": most}
        rows = await self._readers.read_of(account_id, lambda transaction: transaction.rows(_NEWEST, wanted))
        return [_line(row) for row in reversed(rows)]

    async def lines(
        self, account_id: str | None, *, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[UsageLine]]:
        """Every request with start ≤ t < end, a page at a time."""
        until = to_micros(end)
        async for owner in self._owners(account_id):
            place, after = to_micros(start), ""
            while page := await self._readers.read_of(owner, partial(_page, owner, place, until, after)):
                yield [_line(row) for row in page]
                place, after = page[-1][_AT], page[-1][_REQUEST]
                if len(page) < PAGE:
                    break

    async def rebuild(self) -> None:
        """Make the sums of all days whose rows are kept anew."""
        await self._writer.perform(
            lambda transaction: rollups.rebuild(transaction, kept_from=retention.kept_from(transaction))
        )

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


def _page(account_id: str, start: int, end: int, after: str, transaction: Transaction) -> list[Row]:
    wanted = {"account": account_id, "start": start, "end": end, "after": after, "most": PAGE}
    return transaction.rows(_LINES, wanted)


def _line(row: Row) -> UsageLine:
    values = list(row)
    values[_AT] = from_micros(values[_AT])
    values[_STREAM], values[_ESTIMATED] = bool(values[_STREAM]), bool(values[_ESTIMATED])
    return UsageLine(*values)
