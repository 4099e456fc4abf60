"""Idempotency keys: the same key gets the same result, and is paid once."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import IdempotencyConflict, InsufficientCredit, RequestInProgress
from monkey_coder_server.ports.ledger import Charge, Hold, HoldRequest, Replay
from packages.server.tests.contract.booking import (
    ACCOUNT,
    NOON,
    StillClock,
    fail,
    hold_request,
    idempotent,
    settle,
)


async def serve(store: Storage, request: HoldRequest) -> Charge:
    assert isinstance(await store.books.place(request), Hold)
    return await settle(store.books, request, result=b"charged 600")


async def test_a_repeat_gets_the_first_result_and_pays_nothing(funded: Storage) -> None:
    first = hold_request(idempotency=idempotent())
    await serve(funded, first)
    for _ in range(2):
        replay = await funded.books.place(hold_request(idempotency=idempotent()))
        assert replay == Replay(first.request_id, b"charged 600")
    wallet = await funded.ledger.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (9_400, 0)
    assert (await funded.ledger.verify()).sound


async def test_another_body_under_the_same_key_is_refused(funded: Storage) -> None:
    first = hold_request(idempotency=idempotent(body=b"a"))
    await funded.books.place(first)
    for _ in ("in flight", "served"):
        with pytest.raises(IdempotencyConflict) as refused:
            await funded.books.place(hold_request(idempotency=idempotent(body=b"b")))
        assert refused.value.facts == {"request_id": first.request_id}
        await settle(funded.books, first)


async def test_a_key_in_flight_is_not_served_twice(funded: Storage) -> None:
    results = await asyncio.gather(
        *[funded.books.place(hold_request(idempotency=idempotent())) for _ in range(10)], return_exceptions=True
    )
    assert sum(isinstance(result, Hold) for result in results) == 1
    assert sum(isinstance(result, RequestInProgress) for result in results) == 9
    assert (await funded.ledger.verify()).sound


async def test_a_failed_request_frees_its_key(funded: Storage) -> None:
    first = hold_request(idempotency=idempotent())
    await funded.books.place(first)
    await fail(funded.books, first)
    assert (await serve(funded, hold_request(idempotency=idempotent(body=b"b")))).charged == 600


async def test_a_refused_hold_does_not_take_the_key(funded: Storage) -> None:
    with pytest.raises(InsufficientCredit):
        await funded.books.place(hold_request(10_001, idempotency=idempotent()))
    assert isinstance(await funded.books.place(hold_request(1, idempotency=idempotent())), Hold)


async def test_an_expired_hold_frees_its_key(funded: Storage, clock: StillClock) -> None:
    await funded.books.place(hold_request(idempotency=idempotent()))
    clock.forward(timedelta(minutes=11))
    await funded.ledger.expire_holds(clock.now())
    assert isinstance(await funded.books.place(hold_request(idempotency=idempotent())), Hold)


async def test_accounts_do_not_share_keys(funded: Storage) -> None:
    await funded.ledger.open_wallet("acc_2")
    await funded.ledger.grant("acc_2", 1_000, reason="test", idempotency_key="first")
    await serve(funded, hold_request(idempotency=idempotent()))
    other = hold_request(account_id="acc_2", key_id="key_2", idempotency=idempotent(body=b"b"))
    assert isinstance(await funded.books.place(other), Hold)


async def test_a_result_can_be_replayed_for_two_days_and_not_for_ever(funded: Storage, clock: StillClock) -> None:
    running = hold_request(1, idempotency=idempotent("running"), expires_at=NOON + timedelta(days=30))
    await funded.books.place(running)
    await serve(funded, hold_request(idempotency=idempotent()))
    clock.forward(timedelta(hours=47))
    await funded.ledger.expire_holds(clock.now())
    assert isinstance(await funded.books.place(hold_request(idempotency=idempotent())), Replay)
    clock.forward(timedelta(hours=2))
    await funded.ledger.expire_holds(clock.now())
    assert isinstance(await funded.books.place(hold_request(idempotency=idempotent())), Hold)
    with pytest.raises(RequestInProgress):
        await funded.books.place(hold_request(idempotency=idempotent("running")))


async def test_the_first_result_can_be_looked_up_without_using_the_key(funded: Storage) -> None:
    assert await funded.ledger.earlier(ACCOUNT, idempotent()) is None
    first = hold_request(idempotency=idempotent())
    await serve(funded, first)
    assert await funded.ledger.earlier(ACCOUNT, idempotent()) == Replay(first.request_id, b"charged 600")
    assert await funded.ledger.earlier("acc_2", idempotent()) is None
    with pytest.raises(IdempotencyConflict):
        await funded.ledger.earlier(ACCOUNT, idempotent(body=b"b"))


@pytest.mark.parametrize(("running", "pause"), [(0, 1), (0.4, 1), (7, 7), (90, 30)])
async def test_a_repeat_in_flight_is_asked_to_wait_as_long_as_the_first_has_run(
    funded: Storage, running: float, pause: int
) -> None:
    await funded.books.place(hold_request(idempotency=idempotent()))
    later = NOON + timedelta(seconds=running)
    with pytest.raises(RequestInProgress) as told:
        await funded.books.place(hold_request(idempotency=idempotent(), at=later))
    assert told.value.retry_after == pause
