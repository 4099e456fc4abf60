"""The usage report of one account with a million requests in a year: what each way to ask for it takes.

The same requests are summed in two ways, from the sums kept by the day and from the rows themselves, and must come to
the same. SQLite, and a PostgreSQL that syncs, if it is there. `times` is how much longer a report takes than a month
by day, which is what `monkey usage` asks for.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text

from benchmarks.books import databases, fund, opened
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.transaction import Query, change
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.billing.usage import groupings
from monkey_coder_server.ports.usage_reports import Dimension, Group, Grouping, GroupPlace, Wanted

ROWS, SLICE, RUNS = 1_000_000, 50_000, 5
ACCOUNT = "acc_usage"
START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR, MONTH = timedelta(days=365), timedelta(days=30)
NOW = START + YEAR - timedelta(hours=5, minutes=7)
"""Inside a day, so that its rows are read as well."""
PAGE = 1_000
_FILL = Query(
    text("""
    WITH RECURSIVE n(i) AS (
        SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < CAST(:behind AS BIGINT)
    )
    INSERT INTO usage (
        account_id, at, request_id, key_id, status, provider, model, task_type, persona, stream, input_tokens,
        cached_tokens, output_tokens, reasoning_tokens, price, loss, provider_cost, balance_after, latency_ms,
        estimated, cache_write_tokens, cache_saving
    )
    SELECT
        CAST(:account AS TEXT), CAST(:start AS BIGINT) + i * CAST(:step AS BIGINT), 'req_' || i,
        'key_' || (i % 5), CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'served' END, 'provider_' || (i % 4),
        'model_' || (i % 8), 'chat', 'persona_' || (i % 3), FALSE, 900 + i % 1000, i % 900, 200 + i % 77,
        i % 200, CASE WHEN i % 50 = 0 THEN 0 ELSE 1000000 + i % 100003 END, 0, 900000 + i % 90001, 0, 700 + i % 501,
        FALSE, 0, i % 5003
    FROM n
    """)
)
Ask = Callable[[], Awaitable[Sequence[Sequence[Group]]]]


def main() -> None:
    """Run and print the table."""
    print(f"Usage reports of one account with {ROWS:,} requests in a year; median of {RUNS}")
    print(f"{'database':<12} {'report':<44} {'groups':>8} {'ms':>10} {'times':>9}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # a server run by root's `postgres` goes through it
        for name, url in databases(Path(folder)):
            asyncio.run(_measure(name, url, Path(folder)))


async def _measure(name: str, url: str, folder: Path) -> None:
    async with opened(url, folder) as storage:
        await _fill(storage)
        usual = await _timed(_report(storage, "daily", NOW - MONTH, NOW))
        for words, ask in _asked(storage).items():
            try:
                seconds, groups = await _timed(ask)
            except Unavailable:
                print(f"{name:<12} {words:<44} takes longer than a report may")
                continue
            print(f"{name:<12} {words:<44} {groups:>8,} {seconds * 1e3:>10.1f} {seconds / usual[0]:>9.1f}")
        await _prove(storage)


def _asked(storage: Storage) -> dict[str, Ask]:
    wanted = Wanted(NOW - YEAR, NOW)
    return {
        "a month by day": _report(storage, "daily", NOW - MONTH, NOW),
        "a year by day, week or month": _report(storage, "daily", NOW - YEAR, NOW),
        "a year by day, one model": _report(storage, "daily", NOW - YEAR, NOW, models=("model_3",)),
        "a day by hour": _report(storage, "hourly", NOW - timedelta(days=1), NOW),
        "a month by hour": _report(storage, "hourly", NOW - MONTH, NOW),
        "a year by hour": _report(storage, "hourly", NOW - YEAR, NOW),
        "a year by day, only what failed": _report(storage, "daily", NOW - YEAR, NOW, statuses=("failed",)),
        "a year by key and model, first page": _page(storage, wanted, ("key", "model"), None),
        "a year by key and model, a later page": _page(storage, wanted, ("key", "model"), GroupPlace(10**9, ("", ""))),
    }


def _report(storage: Storage, granularity: str, start: datetime, end: datetime, **filters: tuple[str, ...]) -> Ask:
    wanted = Wanted(start, end, **filters)
    return lambda: storage.reports.grouped(ACCOUNT, wanted, groupings(granularity))


def _page(storage: Storage, wanted: Wanted, by: tuple[Dimension, ...], after: GroupPlace | None) -> Ask:
    return lambda: storage.reports.grouped(ACCOUNT, wanted, [Grouping(by, PAGE, after)])


async def _timed(ask: Ask) -> tuple[float, int]:
    """Seconds, and how many groups came."""
    times: list[float] = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        several = await ask()
        times.append(time.perf_counter() - begun)
    return statistics.median(times), sum(map(len, several))


async def _fill(storage: Storage) -> None:
    step = YEAR // timedelta(microseconds=1) // ROWS
    await fund(storage, ACCOUNT)
    start = int(START.timestamp()) * 1_000_000
    for first in range(0, ROWS, SLICE):
        asked = {"first": first, "behind": first + SLICE, "account": ACCOUNT, "start": start, "step": step}
        await storage.writer.perform(partial(change, _FILL, asked))
    await storage.reports.rebuild()


async def _prove(storage: Storage) -> None:
    """Sums and rows of a month say the same. Raises `RuntimeError`."""
    [of_sums, of_rows] = [
        await storage.reports.grouped(ACCOUNT, Wanted(START, START + MONTH, statuses=each), [Grouping(("day",))])
        for each in ((), ("served", "failed"))
    ]
    if of_sums != of_rows:
        raise RuntimeError("sums and rows differ, and so the figures mean nothing")
