"""Automatic top-ups on both databases: of many at once one begins, and the month's maximum is exact."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.top_ups import TopUpRule, TopUpState
from packages.server.tests.contract.booking import ACCOUNT, NOON
from packages.server.tests.contract.conftest import OpenStore

RULE = TopUpRule(threshold=1_000, amount=2_500, monthly_maximum=6_000)
MINUTE = timedelta(minutes=1)


async def test_a_rule_is_found_as_it_was_set(funded: Storage) -> None:
    assert await funded.top_ups.find(ACCOUNT) is None
    made = await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    assert await funded.top_ups.find(ACCOUNT) == made
    assert (made.rule, made.state, made.sequence, made.not_before) == (RULE, TopUpState.ON, 0, NOON)
    with pytest.raises(NotFound):
        await funded.top_ups.set("acc_none", RULE, by="usr_1", now=NOON)


async def test_of_32_at_once_from_two_processes_one_begins(open_store: OpenStore, funded: Storage) -> None:
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    async with open_store() as other:
        stores = [funded, other] * 16
        begun = await asyncio.gather(*[store.top_ups.begin(ACCOUNT, NOON) for store in stores])
        [charge] = [each for each in begun if each is not None]
        assert (charge.sequence, charge.cents, charge.key) == (1, 2_500, f"top_up:{ACCOUNT}:1")
        assert not await funded.top_ups.due(NOON, most=10)
        ends = await asyncio.gather(*[store.top_ups.succeed(charge) for store in stores])
        assert sum(end is not None for end in ends) == 1
        standing = await other.top_ups.find(ACCOUNT)
        assert standing is not None
        assert (standing.charged, standing.under_way) == (2_500, False)


async def test_what_was_bought_in_between_is_seen_by_who_waited(open_store: OpenStore, funded: Storage) -> None:
    """Many triggers, each beginning, paying and booking if it may: the balance rises once."""
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)

    async def trigger(store: Storage) -> int:
        charge = await store.top_ups.begin(ACCOUNT, NOON)
        if charge is None:
            return 0
        await store.ledger.grant(ACCOUNT, charge.cents * NANO_PER_CENT, reason="bought", idempotency_key=charge.key)
        await store.top_ups.succeed(charge)
        return 1

    async with open_store() as other:
        counts = [sum(await asyncio.gather(*[trigger(store) for store in [funded, other] * 8])) for _ in range(4)]
        wallet = await funded.ledger.wallet(ACCOUNT)
    assert counts == [1, 0, 0, 0]
    assert wallet.balance == 10_000 + 2_500 * NANO_PER_CENT


async def test_the_months_maximum_is_exact_while_nothing_is_ever_booked(funded: Storage) -> None:
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    cents = 0
    for _ in range(5):
        if (charge := await funded.top_ups.begin(ACCOUNT, NOON)) is not None:
            cents += charge.cents
            await funded.top_ups.succeed(charge)
    assert cents == 5_000
    assert await funded.top_ups.due(NOON, most=10) == []
    assert await funded.top_ups.due(NOON + timedelta(days=30), most=10) == [ACCOUNT]


async def test_only_accounts_below_their_threshold_are_due_and_not_those_that_wait(funded: Storage) -> None:
    for number, balance in enumerate((0, 999 * NANO_PER_CENT, 1_000 * NANO_PER_CENT)):
        account = f"acc_due_{number}"
        await funded.ledger.open_wallet(account)
        if balance:
            await funded.ledger.grant(account, balance, reason="test", idempotency_key="first")
        await funded.top_ups.set(account, RULE, by="usr_1", now=NOON)
    assert await funded.top_ups.due(NOON, most=10) == ["acc_due_0", "acc_due_1"]
    assert await funded.top_ups.due(NOON, most=1) == ["acc_due_0"]
    await funded.top_ups.postpone("acc_due_0", NOON + MINUTE)
    await funded.top_ups.remove("acc_due_1", by="usr_1", now=NOON)
    assert await funded.top_ups.due(NOON, most=10) == []
    assert await funded.top_ups.begin("acc_due_0", NOON) is None
    assert await funded.top_ups.due(NOON + MINUTE, most=10) == ["acc_due_0"]


async def test_an_open_payment_is_one_callers_for_a_minute(open_store: OpenStore, funded: Storage) -> None:
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    charge = await funded.top_ups.begin(ACCOUNT, NOON)
    assert charge is not None
    assert await funded.top_ups.take_open(NOON, most=10) == ()
    await funded.top_ups.name(charge, "pi_1")
    later = NOON + MINUTE
    async with open_store() as other:
        taken = await asyncio.gather(*[store.top_ups.take_open(later, most=10) for store in [funded, other] * 8])
    [(again,)] = [each for each in taken if each]
    assert (again.payment_id, again.sequence, again.at) == ("pi_1", 1, NOON)


async def test_a_number_is_never_used_twice_also_after_the_rule_was_removed(funded: Storage) -> None:
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    charge = await funded.top_ups.begin(ACCOUNT, NOON)
    assert charge is not None
    assert await funded.top_ups.remove(ACCOUNT, by="usr_1", now=NOON)
    assert not await funded.top_ups.remove(ACCOUNT, by="usr_1", now=NOON)
    standing = await funded.top_ups.fail(charge, "declined", NOON)
    assert standing is not None
    assert (standing.state, standing.charged) == (TopUpState.REMOVED, 0)
    assert await funded.top_ups.fail(charge, "declined", NOON) is None
    await funded.top_ups.set(ACCOUNT, RULE, by="usr_1", now=NOON)
    again = await funded.top_ups.begin(ACCOUNT, NOON)
    assert again is not None
    assert again.sequence == 2
