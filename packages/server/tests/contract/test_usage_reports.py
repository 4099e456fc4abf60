"""Sums of usage, its rows page by page, and how far back they are kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from monkey_coder_server.adapters.storage import reports
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.statements import Place
from monkey_coder_server.ports.usage_reports import Dimension, Group, Grouping, GroupPlace, UsageLine, Wanted
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
    [row] = await funded.reports.newest(ACCOUNT, Wanted(FIRST, LAST), most=9)
    assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens, row.estimated) == (1_234, 200, 34, False)


NAMES = ("requests", "failed", "input_tokens", "output_tokens", "price", "provider_cost", "latency_ms", "estimated")


EVERY_STATUS = ("served", "failed", "expired")
"""What only single rows know: whoever asks for it has sums of rows."""


async def totals(
    store: Storage, start: datetime, end: datetime, *, hourly: bool = False, of_rows: bool = False
) -> tuple[int, ...]:
    by_time = Grouping(("hour",) if hourly else ("day",))
    groupings = [by_time, Grouping(("provider", "model")), Grouping(("key",))]
    wanted = Wanted(start, end, statuses=EVERY_STATUS if of_rows else ())
    several = await store.reports.grouped(ACCOUNT, wanted, groupings)
    summed = {tuple(sum(getattr(each.figures, name) for each in groups) for name in NAMES) for groups in several}
    [together] = summed
    return together


async def of_rows(store: Storage, start: datetime, end: datetime) -> tuple[int, ...]:
    lines = [line async for page in store.reports.lines(ACCOUNT, Wanted(start, end)) for line in page]
    return figures_of(lines)


def figures_of(lines: Sequence[UsageLine]) -> tuple[int, ...]:
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
    assert await totals(funded, start, end, of_rows=True) == await of_rows(funded, start, end)


async def test_sums_made_anew_are_the_sums_that_were_kept(funded: Storage) -> None:
    await some_days(funded, Random(1))
    everything = (Wanted(FIRST, LAST), [Grouping(("day",)), Grouping(("model", "persona"))])
    before = await funded.reports.grouped(ACCOUNT, *everything)
    await funded.reports.rebuild()
    assert await funded.reports.grouped(ACCOUNT, *everything) == before
    report = await funded.ledger.verify()
    assert report.sound, report.details


async def test_rows_come_page_by_page_each_once(funded: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    await some_days(funded, Random(2))
    monkeypatch.setattr(reports, "PAGE", 5)
    pages = [page async for page in funded.reports.lines(None, Wanted(FIRST, LAST))]
    lines = [line for page in pages for line in page]
    assert max(map(len, pages)) == 5
    assert len({line.request_id for line in lines}) == len(lines) == 12
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    newest = await funded.reports.newest(ACCOUNT, Wanted(FIRST, LAST), most=4)
    assert list(newest) == lines[: -4 - 1 : -1]


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


async def groups(store: Storage, wanted: Wanted, *by: Dimension, **how: Any) -> list[Group]:
    [found] = await store.reports.grouped(ACCOUNT, wanted, [Grouping(by, **how)])
    return list(found)


async def test_what_providers_caches_spared_is_told_from_what_ours_did(funded: Storage) -> None:
    booked = [
        (Usage(900, 100, output=5), 80),
        (Usage(0, 0, 1_000, output=5), -25),
        (Usage(), 700),
        (Usage(10, output=5), 0),
    ]
    for usage, saving in booked:
        asked = hold_request(300)
        await funded.books.place(asked)
        await settle(funded.books, asked, 0, usage=usage, cache_saving=saving)
    found = await groups(funded, Wanted(FIRST, LAST), "cache")
    told = {each.names[0]: (each.figures.requests, each.figures.cache_saving) for each in found}
    assert told == {"prompt": (2, 55), "response": (1, 700), "none": (1, 0)}
    both = await groups(funded, Wanted(FIRST, LAST), "cache", "model")
    assert {each.names for each in both} == {(name, "openai/gpt-5") for name in told}


FILTERS: list[tuple[dict[str, tuple[str, ...]], Callable[[UsageLine], bool]]] = [
    ({"models": ("gpt-5",)}, lambda line: line.model == "gpt-5"),
    ({"models": ("openai/gpt-5-mini", "nothing")}, lambda line: line.model == "gpt-5-mini"),
    ({"providers": ("xai", "openai")}, lambda line: line.provider in {"xai", "openai"}),
    ({"providers": ("op_nai", "%")}, lambda _: False),
    ({"statuses": ("failed",)}, lambda line: line.status == "failed"),
    ({"statuses": ("served",), "models": ("gpt-5",)}, lambda line: line.status == "served" and line.model == "gpt-5"),
    ({"keys": ("key_elsewhere",)}, lambda _: False),
    ({"personas": ("",)}, lambda line: line.persona == ""),
    ({"personas": ("a\x1e\x1fb", "\0")}, lambda _: False),
]


@pytest.mark.parametrize(("named", "matches"), FILTERS)
@pytest.mark.parametrize("whole_days", [True, False])
async def test_a_filter_counts_the_rows_it_matches_and_no_other(
    funded: Storage, named: dict[str, tuple[str, ...]], matches: Callable[[UsageLine], bool], whole_days: bool
) -> None:
    await some_days(funded, Random(4), 24)
    start = FIRST.replace(hour=0) if whole_days else FIRST
    every = [line async for page in funded.reports.lines(ACCOUNT, Wanted(start, LAST)) for line in page]
    wanted = Wanted(start, LAST, **named)
    matched = [line for line in every if matches(line)]
    assert [line async for page in funded.reports.lines(ACCOUNT, wanted) for line in page] == matched
    assert list(await funded.reports.newest(ACCOUNT, wanted, most=99)) == matched[::-1]
    found = await groups(funded, wanted, "day")
    assert tuple(sum(getattr(each.figures, name) for each in found) for name in NAMES) == figures_of(matched)


@pytest.mark.parametrize("by", [("model",), ("provider", "model"), ("key", "persona"), ("project", "model")])
@pytest.mark.parametrize("most", [1, 2, 5])
async def test_pages_of_groups_meet_each_once_and_the_dearest_first(
    funded: Storage, by: tuple[Dimension, ...], most: int
) -> None:
    await some_days(funded, Random(5), 24)
    wanted, after, met = Wanted(FIRST, LAST), None, []
    while page := await groups(funded, wanted, *by, most=most, after=after):
        met += page
        after = GroupPlace(page[-1].figures.price, page[-1].names)
    assert met == await groups(funded, wanted, *by)
    assert [each.figures.price for each in met] == sorted((each.figures.price for each in met), reverse=True)
    assert len({each.names for each in met}) == len(met)


async def test_pages_of_requests_meet_each_once_the_newest_first(funded: Storage) -> None:
    await some_days(funded, Random(6))
    met: list[UsageLine] = []
    after = None
    while page := await funded.reports.newest(ACCOUNT, Wanted(FIRST, LAST), most=5, after=after):
        met += page
        after = Place(int(page[-1].at.timestamp() * 1_000_000), page[-1].request_id)
    lines = [line async for page in funded.reports.lines(ACCOUNT, Wanted(FIRST, LAST)) for line in page]
    assert met == lines[::-1]


async def test_what_a_cache_spared_is_summed_and_audited(funded: Storage) -> None:
    for saving in (40, 2):
        asked = hold_request(300)
        await funded.books.place(asked)
        await settle(funded.books, asked, cache_saving=saving)
    [line, _] = await funded.reports.newest(ACCOUNT, Wanted(FIRST, LAST), most=9)
    assert line.cache_saving in {40, 2}
    for wanted in (Wanted(FIRST, LAST), Wanted(FIRST, LAST, statuses=EVERY_STATUS)):
        [group] = await groups(funded, wanted, "persona")
        assert group.figures.cache_saving == 42
    report = await funded.ledger.verify()
    assert report.sound, report.details


async def test_names_nothing_has_are_told_apart(funded: Storage) -> None:
    await some_days(funded, Random(7), 6)
    reports = funded.reports
    assert await reports.unknown(ACCOUNT, "provider", ["openai", "opnai"]) == ["opnai"]
    assert await reports.unknown(ACCOUNT, "model", ["gpt-5", "openai/gpt-5", "xai/gpt-5", "gpt-6"]) == [
        "xai/gpt-5",
        "gpt-6",
    ]
    for kind in ("key", "project", "team", "persona"):
        assert await reports.unknown(ACCOUNT, kind, ["nobody"]) == ["nobody"]
    [key] = await groups(funded, Wanted(FIRST, LAST), "key")
    assert await reports.unknown(ACCOUNT, "key", key.names) == []
    assert await reports.unknown("acc_another", "key", key.names) == list(key.names)
    assert await reports.rows_since() is None
