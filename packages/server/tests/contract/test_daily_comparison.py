"""What answers said they cost is compared every day, once for all gateways on the same books."""

import asyncio
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.bootstrap.daily import DailyComparison
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.invoices import IN_ANSWERS, Reconciliation
from monkey_coder_server.ports.ledger import Bill
from packages.server.tests.contract.booking import NOON, StillClock, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore

NEXT_DAY = timedelta(hours=13)
"""From NOON to the first hour's end of the day after."""


def daily(store: Storage, clock: StillClock) -> DailyComparison:
    return DailyComparison(cast("Any", SimpleNamespace(storage=store, clock=clock)))


async def spend(store: Storage, *, booked: int, said: int, days_ago: int = 0) -> None:
    """A request of xAI whose answer said another cost than was booked, or the same."""
    at = NOON - timedelta(days=days_ago)
    asked = hold_request(900, at=at, expires_at=NOON + timedelta(days=9))
    await store.books.place(asked)
    usage = Usage(100, output=30, cost_nano=said)
    bills = (Bill("xai", "grok-4", usage, booked, f"up_{asked.request_id}"),)
    await settle(store.books, asked, at=at, usage=usage, provider="xai", provider_cost=booked, bills=bills)


async def latest(store: Storage) -> list[tuple[str, str, int, int]]:
    return [(made.provider, made.first_day, made.unexplained, made.findings) for made in await store.costs.latest()]


def nothing_found(first: str) -> list[tuple[str, str, int, int]]:
    return [("perplexity", first, 0, 0), ("xai", first, 0, 0)]


async def test_a_day_is_compared_an_hour_after_its_end_with_the_week_before_it(
    funded: Storage, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await spend(funded, booked=500, said=501)
    await spend(funded, booked=500, said=530)
    await spend(funded, booked=500, said=470, days_ago=6)
    await spend(funded, booked=500, said=999, days_ago=7)
    clock.forward(NEXT_DAY - timedelta(seconds=1))
    await daily(funded, clock).compare()
    assert {first for _, first, _, _ in await latest(funded)} == {"2026-11-15"}
    clock.forward(timedelta(seconds=1))
    await daily(funded, clock).compare()
    assert await latest(funded) == [("perplexity", "2026-11-16", 0, 0), ("xai", "2026-11-16", 60, 2)]
    [told] = [
        record for record in caplog.records if "2026-11-16" in record.getMessage() and "xai" in record.getMessage()
    ]
    assert told.levelno == logging.ERROR
    assert "1 agree, 2 findings, 0.00000006 USD unexplained" in told.getMessage()
    assert (await funded.ledger.verify()).sound


async def test_several_gateways_make_it_once(
    funded: Storage, open_store: OpenStore, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monkey_coder_server.bootstrap.daily")
    await spend(funded, booked=500, said=500)
    clock.forward(NEXT_DAY)
    async with open_store() as other, open_store() as third:
        gateways = [daily(store, clock) for store in (funded, other, third)]
        for _ in range(3):
            await asyncio.gather(*[gateway.compare() for gateway in gateways])
        await daily(other, clock).compare()
    ours = [record for record in caplog.records if record.name == "monkey_coder_server.bootstrap.daily"]
    assert len(ours) == 2
    assert await latest(funded) == nothing_found("2026-11-16")


async def test_another_day_is_another_comparison(funded: Storage, clock: StillClock) -> None:
    gateway = daily(funded, clock)
    for first in ("2026-11-16", "2026-11-17"):
        clock.forward(NEXT_DAY if first.endswith("16") else timedelta(days=1))
        await gateway.compare()
        assert await latest(funded) == nothing_found(first)


async def test_one_that_fails_leaves_it_to_the_next_round(
    funded: Storage, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = daily(funded, clock)
    clock.forward(NEXT_DAY)

    async def broken(_made: Reconciliation) -> None:
        raise ValueError("broken")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(type(funded.costs), "note", lambda _self, made: broken(made))
        with pytest.raises(ValueError, match="broken"):
            await gateway.compare()
    await gateway.compare()
    assert [made.source for made in await funded.costs.latest()] == [IN_ANSWERS, IN_ANSWERS]


async def test_one_whose_gateway_died_in_it_is_made_by_another_after_a_minute(
    funded: Storage, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.forward(NEXT_DAY)
    begun = asyncio.Event()

    async def endless(*_: object, **_named: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as dying:
        dying.setattr(type(funded.costs), "costs", endless)
        running = asyncio.ensure_future(daily(funded, clock).compare())
        await begun.wait()
        running.cancel()
        await asyncio.wait([running])
    other = daily(funded, clock)
    await other.compare()
    assert [provider for provider, *_ in await latest(funded)] == ["perplexity"]
    clock.forward(timedelta(seconds=61))
    await other.compare()
    assert await latest(funded) == nothing_found("2026-11-16")
    assert (await funded.ledger.verify()).sound
