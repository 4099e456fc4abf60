"""Sums of usage, its rows page by page, and how far back they are kept."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from monkey_coder_server.adapters.storage import reports
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.usage import Usage
from packages.server.tests.contract.booking import (
    ACCOUNT,
    NOON,
    StillClock,
    fail,
    hold_request,
    settle,
)

FIRST, LAST = NOON - timedelta(days=3), NOON + timedelta(days=3)


async def some_days(store: Storage, random: Random, requests: int = 12) -> None:
    """Served and failed requests of two models over a few days."""
    for _ in range(requests):
        at = NOON + timedelta(minutes=random.randint(-4_000, 0))
        asked = hold_request(300, at=at, expires_at=at + timedelta(days=9))
        await store.books.place(asked)
        if random.random() < 0.25:
            await fail(store.books, asked, at=at, provider="xai", provider_cost=random.choice((0, 7)))
            continue
        usage = Usage(
            random.randint(1, 90), random.randint(0, 9), output=random.randint(1, 50), estimated=at.minute > 40
        )
        model = random.choice(("gpt-5", "gpt-5-mini"))
        await settle(store.books, asked, random.randint(1, 300), at=at, usage=usage, model=model)


async def test_a_row_tells_what_was_read_from_a_cache_and_written_to_it(funded: Storage) -> None:
    asked = hold_request(300)
    await funded.books.place(asked)
    await settle(funded.books, asked, usage=Usage(1_000, 200, 30, 4, output=5))
    [row] = await funded.reports.newest(ACCOUNT, start=FIRST, end=LAST, most=9)
    assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens, row.estimated) == (1_234, 200, 34, False)


async def totals(store: Storage, start: datetime, end: datetime, *, hourly: bool = False) -> tuple[int, ...]:
    sums = await store.reports.sums(ACCOUNT, start=start, end=end, hourly=hourly)
    names = ("requests", "failed", "input_tokens", "output_tokens", "price", "provider_cost", "latency_ms", "estimated")
    return tuple(sum(getattr(each, name) for each in sums) for name in names)


async def of_rows(store: Storage, start: datetime, end: datetime) -> tuple[int, ...]:
    lines = [line async for page in store.reports.lines(ACCOUNT, start=start, end=end) for line in page]
    return (
        len(lines),
        sum(line.status != "served" for line in lines),
        sum(line.input_tokens for line in lines),
        sum(line.output_tokens for line in lines),
        sum(line.price for line in lines),
        sum(line.provider_cost for line in lines),
        sum(line.latency_ms for line in lines),
        sum(line.estimated for line in lines),
    )


@pytest.mark.parametrize("hours", [0, 5, 24, 37])
async def test_sums_are_those_of_the_rows_whatever_the_span(funded: Storage, hours: int) -> None:
    await some_days(funded, Random(hours))
    start, end = FIRST + timedelta(hours=hours), NOON + timedelta(hours=hours)
    assert await totals(funded, start, end) == await of_rows(funded, start, end)
    assert await totals(funded, start, end, hourly=True) == await of_rows(funded, start, end)


async def test_sums_made_anew_are_the_sums_that_were_kept(funded: Storage) -> None:
    await some_days(funded, Random(1))
    before = await funded.reports.sums(ACCOUNT, start=FIRST, end=LAST, hourly=False)
    await funded.reports.rebuild()
    assert await funded.reports.sums(ACCOUNT, start=FIRST, end=LAST, hourly=False) == before
    report = await funded.ledger.verify()
    assert report.sound, report.details


async def test_rows_come_page_by_page_each_once(funded: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    await some_days(funded, Random(2))
    monkeypatch.setattr(reports, "PAGE", 5)
    pages = [page async for page in funded.reports.lines(None, start=FIRST, end=LAST)]
    lines = [line for page in pages for line in page]
    assert max(map(len, pages)) == 5
    assert len({line.request_id for line in lines}) == len(lines) == 12
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    newest = await funded.reports.newest(ACCOUNT, start=FIRST, end=LAST, most=4)
    assert list(newest) == lines[-4:]


async def test_old_rows_go_by_whole_months_and_their_sums_stay(funded: Storage, clock: StillClock) -> None:
    await some_days(funded, Random(3))
    before = await totals(funded, FIRST - timedelta(days=30), LAST)
    assert await funded.reports.drop_old(NOON + timedelta(days=40), 2) == 0
    assert await funded.reports.drop_old(datetime(2027, 2, 1, tzinfo=UTC), 2) == 12
    assert await totals(funded, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)) == before
    assert await of_rows(funded, FIRST, LAST) == (0,) * 8
    report = await funded.ledger.verify()
    assert report.sound, report.details
    asked = hold_request(300)
    await funded.books.place(asked)
    await settle(funded.books, asked, 200)
    await funded.reports.rebuild()
    assert (await totals(funded, FIRST - timedelta(days=30), LAST))[4] == before[4] + 200
