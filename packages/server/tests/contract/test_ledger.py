"""What every ledger promises: hold, settle, void, grant, replay, expire; and books that add up after each."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, InsufficientCredit, InvalidRequest, NotFound
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import Charge, Hold, Wallet
from packages.server.tests.contract.booking import (
    ACCOUNT,
    KEY,
    NOON,
    StillClock,
    failure,
    hold_request,
    settlement,
)


async def is_sound(store: Storage) -> bool:
    report = await store.ledger.verify()
    assert report.sound, report.details
    assert sum(report.totals.values()) == 0
    return True


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
        await store.ledger.hold(hold_request(account_id="acc_none"))
    assert await is_sound(store)


async def test_a_repeated_grant_is_booked_once(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.open_wallet("acc_2")
    first = await store.ledger.grant(ACCOUNT, 7, reason="trial", idempotency_key="same")
    again = await store.ledger.grant(ACCOUNT, 7, reason="trial", idempotency_key="same")
    other = await store.ledger.grant("acc_2", 9, reason="trial", idempotency_key="same")
    assert (first.balance, again.balance, other.balance) == (7, 7, 9)
    assert await is_sound(store)


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_grant_is_more_than_nothing(funded: Storage, amount: int) -> None:
    with pytest.raises(InvalidRequest):
        await funded.ledger.grant(ACCOUNT, amount, reason="taking", idempotency_key="minus")
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 10_000


async def test_a_hold_reserves_and_a_settlement_pays_the_price_and_frees_the_rest(funded: Storage) -> None:
    asked = hold_request(1_000)
    held = await funded.ledger.hold(asked)
    assert isinstance(held, Hold)
    await funded.ledger.durable(held)
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)

    charge = await funded.ledger.settle(settlement(asked, price=600))

    assert (charge.charged, charge.provider_cost, charge.loss, charge.balance) == (600, 500, 0, 9_400)
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 9_400, 0)
    totals = (await funded.ledger.verify()).totals
    assert totals == {
        "customer_credit": 9_400,
        "promotions": -10_000,
        "provider_cost": -500,
        "provider_payable": 500,
        "revenue": 600,
    }
    assert await is_sound(funded)


async def test_a_price_above_the_hold_is_charged_up_to_it_and_the_house_bears_the_rest(funded: Storage) -> None:
    asked = hold_request(1_000)
    await funded.ledger.hold(asked)
    charge = await funded.ledger.settle(settlement(asked, price=1_250))
    assert (charge.charged, charge.loss, charge.balance) == (1_000, 250, 9_000)
    assert (await funded.ledger.verify()).totals["house_loss"] == -250
    assert await is_sound(funded)


async def test_a_request_that_costs_nothing_is_settled_all_the_same(funded: Storage) -> None:
    asked = hold_request(0)
    await funded.ledger.hold(asked)
    charge = await funded.ledger.settle(settlement(asked, price=0, provider_cost=0))
    assert (charge.charged, charge.balance) == (0, 10_000)
    assert await is_sound(funded)


async def test_settling_again_returns_the_first_charge_whatever_is_said_the_second_time(funded: Storage) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    first = await funded.ledger.settle(settlement(asked, price=600))
    other = hold_request()
    await funded.ledger.hold(other)
    await funded.ledger.settle(settlement(other, price=100))
    assert await funded.ledger.settle(settlement(asked, price=999)) == first
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 9_300
    assert await is_sound(funded)


async def test_two_settlements_at_once_charge_once(funded: Storage) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    charges = await asyncio.gather(*[funded.ledger.settle(settlement(asked, price=600)) for _ in range(8)])
    assert len(set(charges)) == 1
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 9_400
    assert await is_sound(funded)


async def test_nothing_is_settled_that_was_never_held(funded: Storage) -> None:
    with pytest.raises(NotFound):
        await funded.ledger.settle(settlement(hold_request()))
    assert await is_sound(funded)


@pytest.mark.parametrize(
    "changes", [{"account_id": "acc_2"}, {"key_id": "key_2"}, {"price": -1}, {"provider_cost": -1}]
)
async def test_a_settlement_that_cannot_be_leaves_the_hold_open(funded: Storage, changes: dict[str, object]) -> None:
    await funded.ledger.open_wallet("acc_2")
    asked = hold_request()
    await funded.ledger.hold(asked)
    with pytest.raises(ValueError, match=asked.request_id):
        await funded.ledger.settle(settlement(asked, **changes))
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    assert await is_sound(funded)


async def test_a_failed_request_costs_nothing_and_leaves_a_row(funded: Storage) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    await funded.ledger.void(failure(asked, provider="openai", model="openai/gpt-5", latency_ms=7))
    await funded.ledger.void(failure(asked, provider_cost=99))
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 0)
    [row] = await funded.reports.newest(ACCOUNT, start=NOON, end=NOON + timedelta(hours=1), most=9)
    assert (row.status, row.price, row.provider, row.provider_cost, row.latency_ms) == ("failed", 0, "openai", 0, 7)
    assert await is_sound(funded)


async def test_what_a_provider_bills_for_a_failed_request_is_the_houses_loss(funded: Storage) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    await funded.ledger.void(failure(asked, provider="xai", provider_cost=80))
    totals = (await funded.ledger.verify()).totals
    assert (totals["house_loss"], totals["provider_payable"], totals["customer_credit"]) == (-80, 80, 10_000)
    assert await is_sound(funded)


async def test_the_parts_of_a_cost_that_others_bill_are_booked(funded: Storage) -> None:
    served, failed = hold_request(), hold_request()
    await funded.ledger.hold(served)
    await funded.ledger.hold(failed)
    await funded.ledger.settle(settlement(served, provider_cost=500, elsewhere={"xai": 80}))
    await funded.ledger.void(failure(failed, provider="groq", provider_cost=30, elsewhere={"xai": 30}))
    totals = (await funded.ledger.verify()).totals
    assert (totals["provider_cost"], totals["house_loss"], totals["provider_payable"]) == (-500, -30, 530)
    assert await is_sound(funded)


async def test_a_settled_request_is_not_voided_and_a_voided_one_not_charged(funded: Storage) -> None:
    settled, voided = hold_request(), hold_request()
    await funded.ledger.hold(settled)
    await funded.ledger.hold(voided)
    await funded.ledger.settle(settlement(settled, price=600))
    await funded.ledger.void(failure(settled))
    await funded.ledger.void(failure(voided))

    late = await funded.ledger.settle(settlement(voided, price=600))
    again = await funded.ledger.settle(settlement(voided, price=600))

    assert late == again == Charge(voided.request_id, "", 0, 500, 600, 9_400)
    totals = (await funded.ledger.verify()).totals
    assert (totals["house_loss"], totals["customer_credit"]) == (-500, 9_400)
    assert await is_sound(funded)


async def test_voiding_what_was_never_held_does_nothing(funded: Storage) -> None:
    await funded.ledger.void(failure(hold_request()))
    assert await funded.reports.newest(ACCOUNT, start=NOON, end=NOON + timedelta(hours=1), most=9) == []
    assert await is_sound(funded)


async def test_a_refused_hold_says_what_there_is_and_what_was_needed(funded: Storage) -> None:
    await funded.ledger.hold(hold_request(9_000))
    with pytest.raises(InsufficientCredit) as refused:
        await funded.ledger.hold(hold_request(1_001))
    assert refused.value.facts == {
        "balance_usd": "0.00001",
        "available_usd": "0.000001",
        "needed_usd": "0.000001001",
        "limit": "balance",
    }
    assert "0.000001 USD" in refused.value.message
    assert await is_sound(funded)


async def test_the_last_nano_dollar_can_be_held(funded: Storage) -> None:
    await funded.ledger.hold(hold_request(9_999))
    assert isinstance(await funded.ledger.hold(hold_request(1)), Hold)
    with pytest.raises(InsufficientCredit):
        await funded.ledger.hold(hold_request(1))
    assert await is_sound(funded)


async def test_a_request_id_is_held_once(funded: Storage) -> None:
    asked = hold_request()
    hold = await funded.ledger.hold(asked)
    with pytest.raises(Conflict):
        await funded.ledger.hold(asked)
    assert isinstance(hold, Hold)
    await funded.ledger.durable(hold)
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    assert await is_sound(funded)


async def test_holds_past_their_time_are_given_back_and_flagged(funded: Storage, clock: StillClock) -> None:
    forgotten, running = hold_request(), hold_request(expires_at=NOON + timedelta(hours=1))
    await funded.ledger.hold(forgotten)
    await funded.ledger.durable(await funded.ledger.hold(running))
    clock.forward(timedelta(minutes=11))
    assert (await funded.ledger.verify()).checks["open_holds_past_expiry"] == 1

    assert await funded.ledger.expire_holds(clock.now()) == 1
    assert await funded.ledger.expire_holds(clock.now()) == 0

    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    [row] = await funded.reports.newest(ACCOUNT, start=NOON, end=NOON + timedelta(hours=1), most=9)
    assert (row.request_id, row.status, row.price) == (forgotten.request_id, "expired", 0)
    assert await is_sound(funded)


async def test_many_overdue_holds_are_all_given_back(funded: Storage, clock: StillClock) -> None:
    await asyncio.gather(*[funded.ledger.hold(hold_request(1)) for _ in range(200)])
    clock.forward(timedelta(minutes=11))
    assert await funded.ledger.expire_holds(clock.now()) == 200
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 0)


async def test_a_settlement_goes_on_when_its_caller_leaves(funded: Storage) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    task = asyncio.create_task(funded.ledger.settle(settlement(asked, price=600)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await funded.ledger.settle(settlement(asked, price=1))).charged == 600
    assert await is_sound(funded)


async def test_a_receipt_is_found_by_its_id_and_its_requests_by_its_own_account_only(
    funded: Storage, signer: Ed25519Signer
) -> None:
    asked = hold_request()
    await funded.ledger.hold(asked)
    charge = await funded.ledger.settle(settlement(asked))
    receipt = await funded.ledger.receipt(ACCOUNT, charge.receipt_id)
    assert receipt is not None
    assert receipt == await funded.ledger.receipt(ACCOUNT, asked.request_id)
    assert await funded.ledger.receipt("acc_2", charge.receipt_id) is None
    assert await funded.ledger.receipt(ACCOUNT, "rcpt_none") is None
    assert signer.valid(receipt.body, signature=receipt.signature, key_id=receipt.signing_key_id)
    assert '"charge_nano":600' in receipt.body
    assert '"hold_nano":1000' in receipt.body


async def test_usage_rows_come_oldest_first_within_the_asked_time(funded: Storage) -> None:
    asked = [hold_request(100, at=NOON + timedelta(minutes=minute)) for minute in (30, 10, 20)]
    for each in asked:
        await funded.ledger.hold(each)
        await funded.ledger.settle(settlement(each, price=60, at=each.at, usage=Usage(output=9, estimated=True)))
    start, end = NOON + timedelta(minutes=10), NOON + timedelta(minutes=30)
    rows = await funded.reports.newest(ACCOUNT, start=start, end=end, most=9)
    assert [row.at for row in rows] == [NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)]
    assert (rows[0].key_id, rows[0].price, rows[0].output_tokens, rows[0].estimated, rows[0].stream) == (
        KEY,
        60,
        9,
        True,
        False,
    )
    assert len(await funded.reports.newest(ACCOUNT, start=start, end=end, most=1)) == 1
    assert await funded.reports.newest("acc_2", start=start, end=end, most=9) == []


async def test_exactly_as_many_holds_are_granted_as_the_balance_covers(funded: Storage) -> None:
    granted = 0

    async def one_client() -> None:
        nonlocal granted
        for _ in range(10):
            try:
                await funded.ledger.durable(await _held(funded, 100))
                granted += 1
            except InsufficientCredit:
                return

    await asyncio.gather(*[one_client() for _ in range(32)])
    assert granted == 100
    assert await funded.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 10_000)
    assert await is_sound(funded)


async def _held(store: Storage, amount: int) -> Hold:
    held = await store.ledger.hold(hold_request(amount))
    assert isinstance(held, Hold)
    return held


async def test_what_was_spent_is_summed_over_all_requests_of_a_time(funded: Storage) -> None:
    for minute in range(5):
        asked = hold_request(at=NOON + timedelta(minutes=minute))
        await funded.ledger.hold(asked)
        await funded.ledger.settle(settlement(asked, price=100 + minute, at=asked.at))
    failed = hold_request()
    await funded.ledger.hold(failed)
    await funded.ledger.void(failure(failed))
    spent = funded.ledger.spent
    assert await spent(ACCOUNT, start=NOON, end=NOON + timedelta(days=1)) == 510
    assert await spent(ACCOUNT, start=NOON + timedelta(minutes=1), end=NOON + timedelta(minutes=3)) == 203
    assert await spent("acc_2", start=NOON, end=NOON + timedelta(days=1)) == 0
