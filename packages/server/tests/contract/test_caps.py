"""Caps: a key never spends a nano-dollar more than it may, by UTC day, by month, in total."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import BudgetExceeded
from monkey_coder_server.ports.accounts import Caps, KeyRecord
from monkey_coder_server.ports.ledger import Hold
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, fail, hold_request, settle


def key(caps: Caps, key_id: str = KEY) -> KeyRecord:
    return KeyRecord(
        key_id=key_id,
        account_id=ACCOUNT,
        user_id="user_1",
        name="laptop",
        prefix="mk-dev-abcd",
        digest=key_id.encode().ljust(32, b"."),
        scopes=frozenset({"inference"}),
        created_at=NOON,
        caps=caps,
    )


@pytest.mark.parametrize("caps", [Caps(day=1_000), Caps(month=1_000), Caps(total=1_000)])
@pytest.mark.parametrize(("amount", "granted"), [(999, True), (1_000, True), (1_001, False)])
async def test_a_cap_admits_up_to_itself_and_not_one_more(
    funded: Storage, caps: Caps, amount: int, *, granted: bool
) -> None:
    await funded.keys.create(key(caps))
    if granted:
        assert isinstance(await funded.books.place(hold_request(amount)), Hold)
    else:
        with pytest.raises(BudgetExceeded):
            await funded.books.place(hold_request(amount))
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 10_000
    assert (await funded.ledger.verify()).sound


async def test_what_is_settled_and_what_is_held_count_together(funded: Storage) -> None:
    await funded.keys.create(key(Caps(day=1_000)))
    settled, held = hold_request(500), hold_request(400)
    await funded.books.place(settled)
    await settle(funded.books, settled, price=300)
    await funded.books.place(held)
    with pytest.raises(BudgetExceeded) as refused:
        await funded.books.place(hold_request(301))
    assert refused.value.facts == {
        "limit": "key_day_cap",
        "scope": "key",
        "holder": "key",
        "holder_id": KEY,
        "period": "day",
        "unit": "money",
        "resets_at": "2026-11-23T00:00:00+00:00",
        "limit_usd": "0.000001",
        "spent_usd": "0.0000003",
        "held_usd": "0.0000004",
        "available_usd": "0.0000003",
        "needed_usd": "0.000000301",
    }
    await fail(funded.books, held)
    assert isinstance(await funded.books.place(hold_request(700)), Hold)
    assert (await funded.ledger.verify()).sound


async def test_the_tightest_cap_is_named_and_a_refusal_counts_nowhere(funded: Storage) -> None:
    await funded.keys.create(key(Caps(day=5_000, month=100, total=200)))
    with pytest.raises(BudgetExceeded) as refused:
        await funded.books.place(hold_request(300))
    assert refused.value.facts["limit"] == "key_month_cap"
    assert isinstance(await funded.books.place(hold_request(100)), Hold)
    assert (await funded.ledger.verify()).sound


async def test_a_day_ends_at_midnight_utc_and_a_month_with_its_last_day(funded: Storage) -> None:
    await funded.keys.create(key(Caps(day=1_000, month=1_500)))
    before_midnight = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    await funded.books.place(hold_request(1_000, at=before_midnight))
    next_day = before_midnight + timedelta(seconds=1)
    await funded.books.place(hold_request(500, at=next_day))
    with pytest.raises(BudgetExceeded) as refused:
        await funded.books.place(hold_request(1, at=next_day))
    assert refused.value.facts["limit"] == "key_month_cap"
    assert isinstance(await funded.books.place(hold_request(1_000, at=datetime(2026, 12, 1, tzinfo=UTC))), Hold)
    assert (await funded.ledger.verify()).sound


async def test_a_charge_counts_for_the_day_it_was_admitted_on(funded: Storage) -> None:
    await funded.keys.create(key(Caps(day=1_000)))
    late = hold_request(1_000, at=datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC))
    await funded.books.place(late)
    morning = datetime(2026, 11, 23, 0, 0, 5, tzinfo=UTC)
    await settle(funded.books, late, price=900, at=morning)
    assert isinstance(await funded.books.place(hold_request(1_000, at=morning)), Hold)
    with pytest.raises(BudgetExceeded):
        await funded.books.place(hold_request(101, at=late.at))
    assert (await funded.ledger.verify()).sound


async def test_caps_of_one_key_do_not_bind_another(funded: Storage) -> None:
    await funded.keys.create(key(Caps(total=1)))
    await funded.keys.create(key(Caps(), "key_2"))
    assert isinstance(await funded.books.place(hold_request(5_000, key_id="key_2")), Hold)


async def test_a_cap_set_later_counts_what_was_spent_before(funded: Storage) -> None:
    await funded.keys.create(key(Caps()))
    await funded.books.place(hold_request(600))
    assert await funded.keys.change(ACCOUNT, KEY, lambda record: replace(record, caps=Caps(total=1_000)))
    with pytest.raises(BudgetExceeded):
        await funded.books.place(hold_request(401))
    assert isinstance(await funded.books.place(hold_request(400)), Hold)


async def test_many_clients_together_stay_within_the_cap(funded: Storage) -> None:
    await funded.keys.create(key(Caps(day=1_000)))
    results = await asyncio.gather(*[funded.books.place(hold_request(30)) for _ in range(64)], return_exceptions=True)
    assert sum(isinstance(result, Hold) for result in results) == 33
    assert sum(isinstance(result, BudgetExceeded) for result in results) == 31
    assert (await funded.ledger.verify()).sound
