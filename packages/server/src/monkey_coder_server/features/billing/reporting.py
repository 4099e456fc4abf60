"""`GET /v1/billing/usage` and its export: what is asked for, read, and written a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monkey_coder_protocol.queries import ExportQuery, UsageQuery
from monkey_coder_server.features.billing.asking import Known, Page, span_of, wanted_of
from monkey_coder_server.features.billing.cursor import written
from monkey_coder_server.features.billing.export import FORMATS, Export, pieces
from monkey_coder_server.features.billing.period import read_period
from monkey_coder_server.features.billing.usage import (
    Asked,
    Parted,
    details_shown,
    groupings,
    groups_shown,
    usage_report,
)
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.exports import MakeWriter
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.quotas import Standing
from monkey_coder_server.ports.statements import Place
from monkey_coder_server.ports.usage_reports import Grouping, GroupPlace, UsageReports, Wanted
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes
from monkey_coder_server.web.sse import EventStream, EventWriter

RateLeft = Callable[[Principal], Standing]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_numbers = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Means:
    """`rate_left` says how the requests a minute of a caller's key stand; `parquet` writes that format."""

    ledger: Records
    reports: UsageReports
    clock: Clock
    known: Known
    rate_left: RateLeft
    parquet: MakeWriter


class UsageRoutes:
    """Over the usage of the caller's own account: whoever may read its billing sees all of it."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def usage(self, request: Request) -> Reply:
        """What the account used in a period, parted and filtered as the query says. All times are UTC."""
        query, use, account_id = read_query(UsageQuery, request.pairs), self._means, request.principal.account_id
        now = use.clock.now()
        span, page = span_of(query, now)
        wanted = await wanted_of(query, span, account_id, use.known, use.reports)
        await use.ledger.booked(account_id)
        by = tuple(dict.fromkeys(query.group_by))
        after = GroupPlace(page.at, page.names) if page is not None and by else None
        grouping = (Grouping(by, query.limit + 1, after),) if by else ()
        parted = await use.reports.grouped(account_id, wanted, (*groupings(query.granularity), *grouping))
        asked = Asked(
            *span,
            query.granularity,
            key_hash=_key_hash(request.principal),
            rate_limits=[self._rate(request.principal, now)],
            rows_since=await use.reports.rows_since() if _needs_rows(query) else None,
        )
        body = usage_report(Parted(*parted[:5]), asked, await use.ledger.wallet(account_id))
        if by:
            shown = parted[5][: query.limit]
            more = len(parted[5]) > query.limit
            body |= {"groups": groups_shown(by, shown), "next": None}
            if more:
                last = shown[-1]
                body["next"] = _next(span, last.figures.price, last.names, grouped=True)
        if query.include_details:
            body |= await self._details(account_id, wanted, query.limit, page)
        return json_bytes(_numbers.encode(body))

    async def export(self, request: Request) -> Reply:
        """The account's requests of a period as a file, streamed: a page of rows is all that is ever in memory."""
        query, use, account_id = read_query(ExportQuery, request.pairs), self._means, request.principal.account_id
        span = read_period(query, use.clock.now())
        wanted = await wanted_of(query, span, account_id, use.known, use.reports)
        export = Export(query.format, wanted, account_id)
        make = FORMATS[query.format][0] or use.parquet
        await use.ledger.booked(account_id)
        disposition = f'attachment; filename="{export.file_name}"'.encode()

        async def run(writer: EventWriter) -> None:
            async for piece in pieces(use.reports, export, make):
                if writer.gone:
                    return
                if piece:
                    await writer.write(piece)

        return EventStream(
            run,
            headers=[(b"content-disposition", disposition)],
            keep_alive=None,
            content_type=make().content_type.encode(),
        )

    async def _details(self, account_id: str, wanted: Wanted, most: int, page: Page | None) -> dict[str, Any]:
        after = None if page is None else Place(page.at, page.names[0])
        lines = await self._means.reports.newest(account_id, wanted, most=most + 1, after=after)
        more, shown = len(lines) > most, lines[:most]
        follows = None
        if more:
            last = shown[-1]
            follows = _next((wanted.start, wanted.end), _micros(last.at), (last.request_id,), grouped=False)
        return {"details": details_shown(shown), "details_truncated": more, "next": follows}

    def _rate(self, principal: Principal, now: datetime) -> dict[str, Any]:
        """How the caller's requests a minute stand as this process knows; asking takes none of them."""
        standing = self._means.rate_left(principal)
        limit = standing.bound.allowed
        return {
            "provider": "monkey-coder",
            "current_usage": limit - standing.left,
            "limit": limit,
            "reset_time": (now + timedelta(seconds=standing.reset)).isoformat(),
            "remaining": standing.left,
        }


def _needs_rows(query: UsageQuery) -> bool:
    """Whether a part of the report is of single requests."""
    return bool(query.status) or query.granularity == "hourly" or "cache" in query.group_by


def _next(span: tuple[datetime, datetime], at: int, names: Sequence[str], *, grouped: bool) -> str:
    return written(Page(grouped=grouped, start=span[0], end=span[1], at=at, names=tuple(names)))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _key_hash(principal: Principal) -> str:
    return principal.key.digest.hex()[:16] if principal.key is not None else ""
