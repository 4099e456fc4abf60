"""Wallets are opened once and filled once a key; holds nobody ends are given back."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.usage_reports import Wanted
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request, idempotent
from packages.server.tests.contract.test_leases import figures


async def test_a_new_wallet_is_empty_and_opening_it_again_changes_nothing(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 5, reason="trial", idempotency_key="trial")
    await store.ledger.open_wallet(ACCOUNT)
    assert await store.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 5, 0)


async def test_an_account_without_a_wallet_has_none_to_read_or_fill_or_hold(store: Storage) -> None:
    with pytest.raises(NotFound):
        await store.ledger.wallet("acc_none")
    with pytest.raises(NotFound):
        await store.ledger.grant("acc_none", 5, reason="trial", idempotency_key="trial")
    with pytest.raises(NotFound):
        await store.books.place(hold_request(account_id="acc_none"))
    with pytest.raises(NotFound):
        await store.books.place(hold_request(account_id="acc_none", idempotency=idempotent()))
    assert (await store.ledger.verify()).sound


async def test_a_repeated_grant_is_booked_once(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.open_wallet("acc_2")
    first = await store.ledger.grant(ACCOUNT, 7, reason="trial", idempotency_key="same")
    again = await store.ledger.grant(ACCOUNT, 7, reason="trial", idempotency_key="same")
    other = await store.ledger.grant("acc_2", 9, reason="trial", idempotency_key="same")
    assert (first.balance, again.balance, other.balance) == (7, 7, 9)
    assert (await store.ledger.verify()).sound


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_grant_is_more_than_nothing(funded: Storage, amount: int) -> None:
    with pytest.raises(InvalidRequest):
        await funded.ledger.grant(ACCOUNT, amount, reason="taking", idempotency_key="minus")
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 10_000


async def test_holds_past_their_time_are_given_back_and_flagged(funded: Storage, clock: StillClock) -> None:
    forgotten, running = hold_request(), hold_request(expires_at=NOON + timedelta(hours=1))
    await funded.books.place(forgotten)
    await funded.books.place(running)
    clock.forward(timedelta(minutes=14))
    assert (await funded.ledger.verify()).checks["open_holds_past_expiry"] == 1
    assert await funded.ledger.expire_holds(clock.now()) == 1
    assert await funded.ledger.expire_holds(clock.now()) == 0
    assert await figures(funded) == (10_000, 1_000)
    [row] = await funded.reports.newest(ACCOUNT, Wanted(NOON, NOON + timedelta(hours=1)), most=9)
    assert (row.request_id, row.status, row.price) == (forgotten.request_id, "expired", 0)
    assert (row.at, row.error_code) == (clock.now(), "hold_expired")


async def test_two_sweepers_give_many_overdue_holds_back_once(funded: Storage, clock: StillClock) -> None:
    await asyncio.gather(*[funded.books.place(hold_request(1)) for _ in range(200)])
    clock.forward(timedelta(minutes=11))
    await asyncio.gather(*[funded.ledger.expire_holds(clock.now()) for _ in range(2)])
    assert await figures(funded) == (10_000, 0)
    later = NOON + timedelta(hours=1)
    assert len(await funded.reports.newest(ACCOUNT, Wanted(NOON, later), most=999)) == 200
