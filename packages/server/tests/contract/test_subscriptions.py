"""Subscriptions, and the plans they keep accounts on."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.domain.subscriptions import GRACE, Subscription
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.test_organizations import person

ADA = person("ada")
MONTH = timedelta(days=30)
ACTIVE = Subscription(
    subscription_id="sub_1",
    account_id=ADA.account_id,
    plan_id="pro",
    state="active",
    period_start=NOON,
    period_end=NOON + MONTH,
    ends_with_period=False,
)


async def test_a_plan_begins_with_its_subscription_and_ends_with_what_was_paid(store: Storage) -> None:
    await store.accounts.create(ADA)
    assert await store.subscriptions.bring(ACTIVE, NOON) == ACTIVE
    paid = replace(ACTIVE, paid_until=NOON + MONTH)
    await store.subscriptions.bring(paid, NOON)
    assert store.account_plans.standing(ADA.account_id, NOON + MONTH) == "pro"
    assert store.account_plans.standing(ADA.account_id, NOON + MONTH + GRACE) == DEFAULT_PLAN
    ended = await store.subscriptions.bring(replace(ACTIVE, state="canceled"), NOON + timedelta(days=9))
    assert ended == replace(paid, state="canceled")
    assert await store.subscriptions.of_account(ADA.account_id) == [ended]
    assert store.account_plans.standing(ADA.account_id, NOON + MONTH - timedelta(seconds=1)) == "pro"
    assert store.account_plans.standing(ADA.account_id, NOON + MONTH) == DEFAULT_PLAN
    assert len(await store.account_plans.history(ADA.account_id)) == 1


async def test_sights_in_any_order_and_repeated_come_to_the_same(store: Storage) -> None:
    await store.accounts.create(ADA)
    renewed = replace(ACTIVE, period_start=NOON + MONTH, period_end=NOON + 2 * MONTH)
    ended = replace(renewed, state="canceled", paid_until=NOON + 2 * MONTH)
    known = set()
    for number, order in enumerate(permutations((ACTIVE, renewed, ended))):
        for seen in (*order, *order):
            named = replace(seen, subscription_id=f"sub_{number}")
            after = await store.subscriptions.bring(named, NOON + MONTH)
        known.add(replace(after, subscription_id="sub"))
    assert known == {replace(ended, subscription_id="sub")}


async def test_whose_a_subscription_is_never_changes(store: Storage) -> None:
    for each in (ADA, person("bob")):
        await store.accounts.create(each)
    await store.subscriptions.bring(ACTIVE, NOON)
    after = await store.subscriptions.bring(replace(ACTIVE, account_id=person("bob").account_id), NOON)
    assert after.account_id == ADA.account_id
    assert store.account_plans.standing(person("bob").account_id, NOON) == DEFAULT_PLAN
    with pytest.raises(NotFound):
        await store.subscriptions.bring(replace(ACTIVE, subscription_id="sub_2", account_id="acc_none"), NOON)
