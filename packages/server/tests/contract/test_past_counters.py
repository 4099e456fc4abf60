"""Counters of days and months long past are dropped; what still counts stays, and so does the audit's verdict."""

from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage import retention
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Unit
from monkey_coder_server.ports.accounts import Caps
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request, settle
from packages.server.tests.contract.test_caps import key

OWN = Holder(HolderKind.ACCOUNT, ACCOUNT)


async def sound(store: Storage) -> bool:
    report = await store.ledger.verify()
    assert report.sound, report.details
    return True


async def test_counters_that_nothing_counts_for_any_more_are_dropped(funded: Storage, clock: StillClock) -> None:
    await funded.keys.create(key(Caps(day=500, month=900, total=1_000)))
    for period in Period:
        await funded.limits.put(ACCOUNT, Limit(OWN, period, Unit.TOKENS, 9_000), NOON)
    early, late = hold_request(300), hold_request(100)
    for asked in (early, late):
        await funded.books.place(asked)
    await settle(funded.books, early, 300)
    clock.forward(timedelta(days=70))
    assert await funded.reports.drop_counters(clock.now()) == 0
    clock.forward(timedelta(days=50))
    today = hold_request(200, at=clock.now(), expires_at=clock.now() + timedelta(minutes=9))
    await funded.books.place(today)
    assert await funded.reports.drop_counters(clock.now()) == 4
    assert await funded.reports.drop_counters(clock.now()) == 0
    await settle(funded.books, today, 200)
    await settle(funded.books, late, 100)
    await funded.ledger.expire_holds(clock.now())
    assert await sound(funded)
    with pytest.raises(LimitReached) as refused:
        await funded.books.place(hold_request(401, at=clock.now()))
    assert refused.value.facts["limit"] == "key_day_cap"
    with pytest.raises(LimitReached) as refused:
        await funded.books.place(hold_request(401, at=clock.now() + timedelta(days=40)))
    assert refused.value.facts["limit"] == "key_total_cap"


async def test_counters_of_the_last_months_are_still_audited(funded: Storage, clock: StillClock) -> None:
    await funded.keys.create(key(Caps(day=500)))
    asked = hold_request(300)
    await funded.books.place(asked)
    await settle(funded.books, asked, 300)
    clock.forward(timedelta(days=60))
    assert await sound(funded)
    await funded.writer.perform(lambda transaction: retention.drop_counters(ACCOUNT, "2026-12", transaction))
    assert (await funded.ledger.verify()).checks["cap_counters_differ_from_holds_and_leases"] == 2
