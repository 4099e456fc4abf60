"""What runs beside requests waits for a database that is away: that is no defect, and the next round does the work."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from monkey_coder_server.bootstrap import reports, sweeper
from monkey_coder_server.bootstrap.daily import DailyComparison
from monkey_coder_server.domain.errors import Unavailable

Loop = Callable[[Any, Any], Awaitable[None]]


class Store:
    """Its first call fails; `rounds` counts those that begin."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.rounds = 0
        self.again = asyncio.Event()

    async def _call(self, *_: object) -> list[object]:
        self.rounds += 1
        if self.rounds > 1:
            self.again.set()
            await asyncio.Event().wait()
        raise self.failure

    expire_holds = noted = _call


async def sweep(books: Any, metrics: Any) -> None:
    await sweeper.Sweeper(books.storage, books.clock).run(metrics)


async def keep(books: Any, metrics: Any) -> None:
    await reports.keep_reports(books, metrics, DailyComparison(books))


@pytest.mark.parametrize(
    ("loop", "seconds", "where"),
    [(sweep, (sweeper, "SWEEP_SECONDS"), "sweeper"), (keep, (reports, "SECONDS"), "reports")],
)
@pytest.mark.parametrize("away", [True, False])
async def test_only_what_is_unforeseen_counts_as_a_defect(
    monkeypatch: pytest.MonkeyPatch, loop: Loop, seconds: tuple[object, str], where: str, away: bool
) -> None:
    monkeypatch.setattr(*seconds, 0)
    store, defects = Store(Unavailable("away") if away else ValueError("broken")), list[str]()
    books = SimpleNamespace(
        storage=SimpleNamespace(ledger=store, costs=store, watching=SimpleNamespace(apart=timedelta(0))),
        clock=SimpleNamespace(now=lambda: datetime(2026, 11, 23, tzinfo=UTC), monotonic=lambda: 0.0),
        settings=SimpleNamespace(usage_retention_months=0),
    )
    metrics = SimpleNamespace(defect=lambda told, _error: defects.append(told))
    running = asyncio.ensure_future(loop(cast("Any", books), cast("Any", metrics)))
    async with asyncio.timeout(10):
        await store.again.wait()
    running.cancel()
    assert defects == ([] if away else [where])
