"""Housekeeping of reports in a running gateway, and the operator's exports."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from monkey_coder_server.adapters.exports.parquet import ParquetTable
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.bootstrap.daily import DailyComparison
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.billing import export
from monkey_coder_server.ports.invoices import IN_ANSWERS
from monkey_coder_server.ports.usage_reports import Wanted
from monkey_coder_server.settings import Settings

logger = logging.getLogger(__name__)
SECONDS = 60.0
DECISIONS_KEPT = timedelta(days=90)
"""How long decisions of routing and their outcomes are kept."""


async def keep_reports(books: Books, metrics: Metrics, daily: DailyComparison) -> None:
    """Compare costs each day, tell metrics what reconciliations came to, and each month drop what is kept no longer.

    Runs until it is cancelled.
    """
    months, done = books.settings.usage_retention_months, ""
    while True:
        try:
            await daily.compare()
            for made in await books.storage.costs.latest():
                metrics.reconciled(
                    made.provider,
                    "answers" if made.source == IN_ANSWERS else "invoice",
                    unexplained=made.unexplained,
                    findings=made.findings,
                    at=made.at.timestamp(),
                )
            now = books.clock.now()
            while await books.storage.decisions.forget(now - DECISIONS_KEPT):  # some at a time: others write in between
                pass
            if done != (month := now.strftime("%Y-%m")):
                dropped = await books.storage.reports.drop_counters(now)
                logger.info("dropped %d counters of past days and months", dropped)
                if months:
                    dropped = await books.storage.reports.drop_old(now, months)
                    logger.info("dropped %d usage rows older than %d months; their sums stay", dropped, months)
                done = month
        except Unavailable as away:
            logger.info("reports wait for the database: %s", away.message)
        except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
            metrics.defect("reports", error)
        await asyncio.sleep(SECONDS)


@dataclass(frozen=True, slots=True)
class Wish:
    """What `admin export` was told: UTC days, both included. No account: all of them."""

    format: str
    first: date
    last: date
    account_id: str | None


async def write(settings: Settings, wish: Wish, out: Callable[[bytes], object]) -> bool:
    """Export usage piece by piece into `out`. Raises `GatewayError`."""
    name = export.checked(wish.format)
    make = export.FORMATS[name][0] or ParquetTable
    start, end = _midnight(wish.first), _midnight(wish.last + timedelta(days=1))
    async with open_books(settings) as books:
        asked = export.Export(name, Wanted(start, end), wish.account_id)
        await books.note("usage.export", wish.account_id or "every account", f"{wish.first} to {wish.last}")
        async for piece in export.pieces(books.storage.reports, asked, make):
            out(piece)
    return True


async def rebuild(settings: Settings) -> list[str]:
    """Make the sums of usage anew from its rows; a line that says so."""
    async with open_books(settings) as books:
        await books.storage.reports.rebuild()
        await books.note("sums.rebuild", "usage")
    return ["the sums of usage were made anew from its rows"]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
