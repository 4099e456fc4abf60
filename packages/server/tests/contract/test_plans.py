"""Plans as rows, and who is on which."""

from datetime import timedelta
from functools import partial

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.plans import DEFAULT_PLAN, PREPAID, Plan, PlanKind, PlanSpan, follow, put_on
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_organizations import person

PRO = Plan(
    plan_id="pro",
    name="Pro",
    kind=PlanKind.SUBSCRIPTION,
    monthly_fee_cents=2_000,
    included_credit=15_000_000_000,
    included_priority=7,
    trial_credit=3,
    listed=False,
    offered_from=NOON,
    offered_until=NOON + timedelta(days=9),
)
FIRM = Plan(plan_id="firm", name="Firm", kind=PlanKind.POSTPAID, credit_line=500_000_000_000)


def on(plan_id: str, days: int, source: str = "operator") -> PlanSpan:
    return PlanSpan(plan_id=plan_id, starts_at=NOON + timedelta(days=days), source=source)


@pytest.fixture
async def staffed(funded: Storage) -> Storage:
    """Somebody whose account can be put on plans."""
    await funded.accounts.create(person("ada"))
    return funded


async def test_plans_are_written_again_under_their_id(store: Storage) -> None:
    assert await store.plans.every() == (PREPAID,)
    written = Plan(plan_id=DEFAULT_PLAN, name="Pay as you go", trial_credit=0)
    for plan in (PRO, Plan(plan_id="firm", name="Old"), written, FIRM):
        await store.plans.put(plan)
    assert await store.plans.every() == (written, FIRM, PRO)


async def test_an_account_is_on_the_plan_of_the_moment(staffed: Storage, open_store: OpenStore) -> None:
    account_id = person("ada").account_id
    for span in (on("pro", 0), on("firm", 2)):
        await staffed.account_plans.change(account_id, partial(put_on, span=span))
    ended = PlanSpan(plan_id="pro", starts_at=NOON, ends_at=NOON + timedelta(days=2), source="operator")
    assert await staffed.account_plans.history(account_id) == [ended, on("firm", 2)]
    async with open_store() as later:
        for store in (staffed, later):
            seen = [store.account_plans.standing(account_id, NOON + timedelta(days=days)) for days in (-1, 0, 1, 2, 3)]
            assert seen == [DEFAULT_PLAN, "pro", "pro", "firm", "firm"]
            assert store.account_plans.standing("acc_other", NOON) == DEFAULT_PLAN


async def test_a_change_of_another_process_is_seen_at_its_next_look(
    staffed: Storage, open_store: OpenStore, clock: StillClock
) -> None:
    account_id = person("ada").account_id
    async with open_store() as other:
        await other.account_plans.change(account_id, partial(put_on, span=on("pro", 0)))
        assert staffed.account_plans.standing(account_id, clock.now()) == DEFAULT_PLAN
        await staffed.account_plans.refresh()
        assert staffed.account_plans.standing(account_id, clock.now()) == "pro"
        gone = PlanSpan(plan_id="pro", starts_at=NOON, ends_at=NOON, source="operator")
        await other.account_plans.change(account_id, partial(follow, span=gone))
        await staffed.account_plans.refresh()
        assert staffed.account_plans.standing(account_id, clock.now()) == DEFAULT_PLAN
        assert await staffed.account_plans.history(account_id) == []


async def test_nobody_without_an_account_is_on_a_plan(store: Storage) -> None:
    with pytest.raises(NotFound):
        await store.account_plans.change(ACCOUNT, partial(put_on, span=on("pro", 0)))
