"""Credit is spent in its order, expires without touching what is held, and is given back at most once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import GrantTerms, HoldRequest
from packages.server.tests.contract.booking import (
    ACCOUNT,
    NOON,
    StillClock,
    fail,
    hold_request,
    settle,
)

DAY = timedelta(days=1)


async def grant(store: Storage, amount: int, name: str, **terms: Any) -> None:
    await store.ledger.grant(ACCOUNT, amount, reason="test", idempotency_key=name, terms=GrantTerms(**terms))


async def pay(store: Storage, price: int) -> HoldRequest:
    request = hold_request(price)
    await store.books.place(request)
    await settle(store.books, request, price=price)
    return request


async def remaining(store: Storage) -> dict[str, int]:
    return {one.grant_id.rpartition(":")[2]: one.remaining for one in await store.ledger.grants(ACCOUNT)}


@pytest.fixture
async def empty(store: Storage) -> Storage:
    """A store with an empty wallet."""
    await store.ledger.open_wallet(ACCOUNT)
    return store


async def balance(store: Storage) -> int:
    report = await store.ledger.verify()
    assert report.sound, report.details
    return (await store.ledger.wallet(ACCOUNT)).balance


async def test_credit_is_spent_by_priority_then_by_expiry(empty: Storage) -> None:
    await grant(empty, 100, "bought", kind=GrantKind.PURCHASE, priority=200)
    await grant(empty, 100, "later", expires_at=NOON + 9 * DAY)
    await grant(empty, 100, "sooner", expires_at=NOON + 3 * DAY)
    await grant(empty, 100, "first", priority=1)
    await pay(empty, 30)
    assert await remaining(empty) == {"first": 70, "sooner": 100, "later": 100, "bought": 100}
    await pay(empty, 200)
    assert await remaining(empty) == {"first": 0, "sooner": 0, "later": 70, "bought": 100}
    await pay(empty, 170)
    assert set((await remaining(empty)).values()) == {0}
    assert await balance(empty) == 0


async def test_bought_credit_is_booked_against_cash_and_given_credit_against_promotions(empty: Storage) -> None:
    await grant(empty, 100, "bought", kind=GrantKind.PURCHASE)
    await grant(empty, 40, "given", kind=GrantKind.TRIAL)
    totals = (await empty.ledger.verify()).totals
    assert (totals["cash"], totals["promotions"], totals["customer_credit"]) == (-100, -40, 140)


async def test_what_is_free_of_an_expired_grant_is_breakage(empty: Storage, clock: StillClock) -> None:
    await grant(empty, 100, "month", expires_at=NOON + DAY)
    await grant(empty, 40, "for ever")
    await pay(empty, 30)
    assert await empty.ledger.expire_grants(NOON + DAY - timedelta(microseconds=1)) == 0
    clock.forward(DAY)
    assert await empty.ledger.expire_grants(clock.now()) == 1
    assert await empty.ledger.expire_grants(clock.now()) == 0
    assert await remaining(empty) == {"month": 0, "for ever": 40}
    assert await balance(empty) == 40
    assert (await empty.ledger.verify()).totals["breakage"] == 70


async def test_what_is_held_of_an_expired_grant_stays_until_the_hold_ends(empty: Storage, clock: StillClock) -> None:
    await grant(empty, 100, "month", expires_at=NOON + DAY)
    running = hold_request(60)
    await empty.books.place(running)
    clock.forward(DAY)
    assert await empty.ledger.expire_grants(clock.now()) == 1
    wallet = await empty.ledger.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (60, 60)
    assert await empty.ledger.expire_grants(clock.now()) == 0
    await settle(empty.books, running, price=45)
    assert await empty.ledger.expire_grants(clock.now()) == 1
    assert await balance(empty) == 0
    assert (await empty.ledger.verify()).totals["breakage"] == 55


async def test_a_hold_that_is_given_up_lets_the_rest_expire(empty: Storage, clock: StillClock) -> None:
    await grant(empty, 100, "month", expires_at=NOON + DAY)
    running = hold_request(100)
    await empty.books.place(running)
    clock.forward(DAY)
    assert await empty.ledger.expire_grants(clock.now()) == 0
    await fail(empty.books, running)
    assert await empty.ledger.expire_grants(clock.now()) == 1
    assert await balance(empty) == 0


async def test_two_sweepers_expire_a_grant_once(empty: Storage, clock: StillClock) -> None:
    for number in range(30):
        await grant(empty, 10, f"grant {number}", expires_at=NOON + DAY)
    clock.forward(DAY)
    expired = await asyncio.gather(*[empty.ledger.expire_grants(clock.now()) for _ in range(4)])
    assert sum(expired) == 30
    assert await balance(empty) == 0
    assert (await empty.ledger.verify()).totals["breakage"] == 300


async def test_a_grant_is_given_once_and_never_over_already(empty: Storage) -> None:
    for _ in range(2):
        await grant(empty, 100, "month", expires_at=NOON + DAY)
    with pytest.raises(InvalidRequest):
        await grant(empty, 100, "past", expires_at=NOON)
    assert await balance(empty) == 100


def refund(undoes: str, amount: int, key: str = "once") -> Refund:
    return Refund(ACCOUNT, undoes, amount, "was of no use", key)


async def test_a_charge_is_given_back_in_parts_and_never_more_than_it_was(funded: Storage) -> None:
    request = await pay(funded, 600)
    charge = f"settle:{request.request_id}"
    for _ in range(2):
        assert (await funded.ledger.refund(refund(charge, 400))).balance == 9_800
    with pytest.raises(InvalidRequest):
        await funded.ledger.refund(refund(charge, 201, "second"))
    await funded.ledger.refund(refund(charge, 200, "second"))
    with pytest.raises(InvalidRequest):
        await funded.ledger.refund(refund(charge, 1, "third"))
    assert await balance(funded) == 10_000
    totals = (await funded.ledger.verify()).totals
    assert totals["revenue"] == 0


async def test_what_is_given_back_is_spent_before_all_else(funded: Storage) -> None:
    request = await pay(funded, 600)
    await funded.ledger.refund(refund(f"settle:{request.request_id}", 600))
    await pay(funded, 600)
    assert await remaining(funded) == {"first": 9_400, "once": 0}


async def test_a_grant_is_taken_back_as_far_as_it_is_there(funded: Storage) -> None:
    await pay(funded, 600)
    running = hold_request(9_000)
    await funded.books.place(running)
    given = f"grant:{ACCOUNT}:first"
    for much in (10_000, 401):
        with pytest.raises(Conflict):
            await funded.ledger.refund(refund(given, much))
    with pytest.raises(InvalidRequest):
        await funded.ledger.refund(refund(given, 10_001))
    assert (await funded.ledger.refund(refund(given, 400))).balance == 9_000
    await fail(funded.books, running)
    assert (await funded.ledger.refund(refund(given, 9_000, "rest"))).balance == 0
    assert await balance(funded) == 0
    assert (await funded.ledger.verify()).totals["promotions"] == -600


@pytest.mark.parametrize("undoes", ["settle:req_none", "void:req_1", "refund:x:once", ""])
async def test_only_charges_and_grants_of_the_account_are_undone(funded: Storage, undoes: str) -> None:
    with pytest.raises(NotFound):
        await funded.ledger.refund(refund(undoes, 1))


async def test_a_refund_of_a_refund_or_of_anothers_grant_is_none(funded: Storage) -> None:
    request = await pay(funded, 600)
    await funded.ledger.refund(refund(f"settle:{request.request_id}", 100))
    await funded.ledger.open_wallet("acc_2")
    for account, undoes in (
        (ACCOUNT, f"refund:settle:{request.request_id}:once"),
        ("acc_2", f"settle:{request.request_id}"),
        ("acc_2", f"grant:{ACCOUNT}:first"),
    ):
        with pytest.raises(NotFound):
            await funded.ledger.refund(Refund(account, undoes, 1, "no", "other"))


def _names(rows: Sequence[Any]) -> list[str]:
    return [row.grant_id for row in rows]


async def test_grants_are_listed_in_the_order_they_are_spent_in(empty: Storage) -> None:
    await grant(empty, 10, "b", priority=2)
    await grant(empty, 10, "a", priority=1, kind=GrantKind.TRIAL, expires_at=NOON + DAY)
    listed = await empty.ledger.grants(ACCOUNT)
    assert _names(listed) == [f"grant:{ACCOUNT}:a", f"grant:{ACCOUNT}:b"]
    assert (listed[0].kind, listed[0].expires_at, listed[1].expires_at) == ("trial", NOON + DAY, None)
    assert await empty.ledger.grants("acc_2") == []
