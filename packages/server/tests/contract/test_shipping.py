"""Endings brought to the books: each exactly once, whatever became of its hold or lease, none in another's way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import Charge, Hold, HoldRequest, Replay
from monkey_coder_server.ports.usage_reports import Wanted
from packages.server.tests.contract.booking import (
    ACCOUNT,
    NOON,
    StillClock,
    failure,
    hold_request,
    idempotent,
    lease_wish,
    resolved,
    settlement,
)
from packages.server.tests.contract.test_leases import cap_key, figures, take

FAR = NOON + timedelta(hours=1)


async def test_a_request_on_a_lease_is_charged_to_it_with_receipt_and_usage(funded: Storage) -> None:
    lease = await take(funded, 2_000)
    asked = hold_request(1_000)
    assert await funded.books.ship([resolved(asked, lease.lease_id, 600)]) == {}
    assert await figures(funded) == (9_400, 1_400)
    charge = await funded.books.charge(asked.request_id)
    assert charge is not None
    assert charge == Charge(asked.request_id, charge.receipt_id, 600, 500, 0, 9_400)
    assert await funded.ledger.receipt(ACCOUNT, charge.receipt_id) is not None
    [row] = await funded.reports.newest(ACCOUNT, Wanted(NOON, FAR), most=9)
    assert (row.request_id, row.status, row.price) == (asked.request_id, "served", 600)


async def test_a_request_held_directly_is_charged_to_its_hold(funded: Storage) -> None:
    asked = hold_request(1_000)
    await funded.books.place(asked)
    await funded.books.ship([resolved(asked, None, 1_250)])
    assert await figures(funded) == (9_000, 0)
    charge = await funded.books.charge(asked.request_id)
    assert charge is not None
    assert (charge.charged, charge.loss) == (1_000, 250)


async def test_a_failure_costs_the_house_what_the_provider_bills(funded: Storage) -> None:
    lease = await take(funded, 2_000)
    direct, leased = hold_request(), hold_request()
    await funded.books.place(direct)
    failed = {"provider": "openai", "provider_cost": 70}
    await funded.books.ship(
        [
            resolved(direct, None, ending=failure(direct, **failed)),
            resolved(leased, lease.lease_id, ending=failure(leased, **failed)),
        ]
    )
    assert await figures(funded) == (10_000, 2_000)
    assert (await funded.ledger.verify()).totals["house_loss"] == -140
    assert await funded.books.charge(leased.request_id) is None


async def test_what_is_shipped_twice_is_booked_once(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    batch = [resolved(hold_request(), lease.lease_id) for _ in range(5)]
    await funded.books.ship([*batch, batch[0]])
    await funded.books.ship(batch[3:])
    await asyncio.gather(*[funded.books.ship(batch) for _ in range(4)])
    assert await figures(funded) == (7_000, 2_000)


async def test_of_two_endings_of_a_request_the_first_counts(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    asked = hold_request()
    await funded.books.ship([resolved(asked, lease.lease_id, 100), resolved(asked, lease.lease_id, 900)])
    await funded.books.ship([resolved(asked, lease.lease_id, ending=failure(asked))])
    assert await figures(funded) == (9_900, 4_900)


async def test_balances_after_each_request_run_through_a_batch(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    batch = [resolved(hold_request(), lease.lease_id, price) for price in (100, 200, 300)]
    await funded.books.ship(batch)
    charges = [await funded.books.charge(each.hold.request_id) for each in batch]
    assert [charge and charge.balance for charge in charges] == [9_900, 9_700, 9_400]


async def test_a_batch_may_be_of_many_accounts_keys_and_leases(funded: Storage) -> None:
    batch = []
    for number in range(40):
        account = f"acc_many_{number % 20}"
        await funded.ledger.open_wallet(account)
        await funded.ledger.grant(account, 10_000, reason="test", idempotency_key="first")
        of = {"account_id": account, "key_id": f"key_many_{number}"}
        lease = await take(funded, 1_000, **of)
        batch += [resolved(hold_request(400, **of), lease.lease_id, 300) for _ in range(2)]
    await funded.books.ship(batch)
    wallet = await funded.books.wallet("acc_many_7")
    assert (wallet.balance, wallet.held) == (8_800, 800)
    assert (await funded.ledger.verify()).sound


async def test_caps_count_what_leases_charge(funded: Storage) -> None:
    await cap_key(funded, total=1_000)
    lease = await take(funded, 500)
    await funded.books.ship([resolved(hold_request(400), lease.lease_id, 300)])
    await funded.books.give_back(lease.lease_id, 200)
    assert isinstance(await funded.books.place(hold_request(700)), Hold)
    assert await figures(funded) == (9_700, 700)


async def test_a_lease_that_is_used_up_is_closed(funded: Storage) -> None:
    lease = await take(funded, 1_000)
    await funded.books.ship([resolved(hold_request(500), lease.lease_id, 500) for _ in range(2)])
    assert await figures(funded) == (9_000, 0)
    assert await funded.books.recall(ACCOUNT, "elsewhere") == 0


async def expired(store: Storage, clock: StillClock, asked: HoldRequest, *, leased: bool) -> Resolved:
    """The ending of a request whose lease or hold has been given up."""
    lease_id = None
    if leased:
        lease_id = (await take(store, 2_000)).lease_id
    else:
        await store.books.place(asked)
    clock.forward(timedelta(minutes=16))
    assert await store.ledger.expire_holds(clock.now()) + await store.books.expire_leases(clock.now()) == 1
    return resolved(asked, lease_id)


@pytest.mark.parametrize("leased", [True, False])
async def test_a_late_ending_is_paid_from_what_is_free(funded: Storage, clock: StillClock, *, leased: bool) -> None:
    late = await expired(funded, clock, hold_request(), leased=leased)
    for _ in range(2):
        await funded.books.ship([late])
    assert await figures(funded) == (9_400, 0)
    [row] = await funded.reports.newest(ACCOUNT, Wanted(NOON, FAR), most=9)
    assert (row.status, row.price) == ("served", 600)


@pytest.mark.parametrize("leased", [True, False])
async def test_the_house_bears_what_is_not_free_any_more(funded: Storage, clock: StillClock, *, leased: bool) -> None:
    late = await expired(funded, clock, hold_request(), leased=leased)
    await funded.books.place(hold_request(9_900, expires_at=FAR))
    await funded.books.ship([late])
    assert await figures(funded) == (9_900, 9_900)
    charge = await funded.books.charge(late.hold.request_id)
    assert charge is not None
    assert (charge.charged, charge.loss) == (100, 500)


@pytest.mark.parametrize("leased", [True, False])
async def test_a_late_ending_never_goes_over_a_cap(funded: Storage, clock: StillClock, *, leased: bool) -> None:
    await cap_key(funded, total=4_000)
    late = await expired(funded, clock, hold_request(), leased=leased)
    await funded.books.place(hold_request(3_950, expires_at=FAR))
    await funded.books.ship([late])
    assert await figures(funded) == (9_950, 3_950)


async def test_a_late_failure_still_books_what_the_provider_bills(funded: Storage, clock: StillClock) -> None:
    asked = hold_request()
    late = await expired(funded, clock, asked, leased=False)
    failed = failure(asked, provider="openai", provider_cost=70)
    await funded.books.ship([replace(late, ending=failed, charged=0)])
    assert await figures(funded) == (10_000, 0)
    assert (await funded.ledger.verify()).totals["house_loss"] == -70


async def test_a_charge_beyond_its_lease_is_paid_from_what_is_free(funded: Storage) -> None:
    lease = await take(funded, 1_000)
    await funded.books.give_back(lease.lease_id, 900)
    await funded.books.ship([resolved(hold_request(), lease.lease_id, 600)])
    assert await figures(funded) == (9_400, 0)


async def test_a_request_whose_hold_is_nowhere_is_paid_from_what_is_free(funded: Storage) -> None:
    await funded.books.ship([resolved(hold_request(), "lease_unknown"), resolved(hold_request(), None)])
    assert await figures(funded) == (8_800, 0)


async def test_a_repeat_under_an_idempotency_key_gets_the_shipped_result(funded: Storage) -> None:
    asked = hold_request(idempotency=idempotent())
    await funded.books.place(asked)
    await funded.books.ship([resolved(asked, None, result=b"answer")])
    assert await funded.books.place(hold_request(idempotency=idempotent())) == Replay(asked.request_id, b"answer")
    assert (await funded.ledger.verify()).sound


async def test_a_batch_keeps_every_byte_of_its_results_and_every_sign_of_its_text(funded: Storage) -> None:
    results = {"plain": bytes(range(256)), 'quoted "\\x41"': b"\\x00 'a'", "umlaut \u00fc\n\t{,}": b""}
    asked = [hold_request(idempotency=idempotent(key)) for key in results]
    for each in asked:
        await funded.books.place(each)
    endings = [settlement(each, finish_reason=key, task_type=key) for each, key in zip(asked, results, strict=True)]
    shipped = zip(asked, endings, results.values(), strict=True)
    await funded.books.ship([resolved(each, None, ending=end, result=result) for each, end, result in shipped])
    for each, (key, result) in zip(asked, results.items(), strict=True):
        assert await funded.books.place(hold_request(idempotency=idempotent(key))) == Replay(each.request_id, result)
    rows = await funded.reports.newest(ACCOUNT, Wanted(NOON, FAR), most=9)
    assert {row.task_type for row in rows} == set(results)


async def test_a_key_is_charged_in_one_batch_for_both_sides_of_midnight(funded: Storage) -> None:
    midnight = NOON + timedelta(hours=12)
    leases = [await take(funded, 2_000, at=at, expires_at=FAR + timedelta(days=1)) for at in (NOON, midnight)]
    batch = [
        resolved(hold_request(at=at), lease.lease_id, 600)
        for at, lease in zip((NOON, midnight), leases, strict=True)
        for _ in range(2)
    ]
    await funded.books.ship(batch)
    assert await figures(funded) == (7_600, 1_600)


async def test_a_failure_frees_its_idempotency_key(funded: Storage) -> None:
    asked = hold_request(idempotency=idempotent())
    await funded.books.place(asked)
    await funded.books.ship([resolved(asked, None, ending=failure(asked))])
    assert isinstance(await funded.books.place(hold_request(idempotency=idempotent(body=b"b"))), Hold)


async def test_a_late_answer_takes_its_idempotency_key_again(funded: Storage, clock: StillClock) -> None:
    asked = hold_request(idempotency=idempotent())
    late = await expired(funded, clock, asked, leased=False)
    await funded.books.ship([replace(late, result=b"answer")])
    assert await funded.books.place(hold_request(idempotency=idempotent())) == Replay(asked.request_id, b"answer")
    assert await figures(funded) == (9_400, 0)


async def test_one_idempotency_key_is_never_paid_twice(funded: Storage, clock: StillClock) -> None:
    asked = hold_request(idempotency=idempotent())
    late = await expired(funded, clock, asked, leased=False)
    again = hold_request(idempotency=idempotent())
    await funded.books.place(again)
    await funded.books.ship([resolved(again, None, result=b"second"), replace(late, result=b"first")])
    assert await funded.books.place(hold_request(idempotency=idempotent())) == Replay(again.request_id, b"second")
    assert await figures(funded) == (9_400, 0)
    charge = await funded.books.charge(asked.request_id)
    assert charge is not None
    assert (charge.charged, charge.loss) == (0, 600)


IMPOSSIBLE: list[dict[str, Any]] = [
    {"charged": 601},
    {"charged": -1},
    {"ending": settlement(hold_request())},
]


@pytest.mark.parametrize("changes", IMPOSSIBLE)
async def test_an_impossible_ending_is_kept_aside_and_blocks_no_other(funded: Storage, changes: dict[str, Any]) -> None:
    lease = await take(funded, 5_000)
    good = [resolved(hold_request(), lease.lease_id) for _ in range(6)]
    bad = [replace(resolved(hold_request(), lease.lease_id), **changes) for _ in range(2)]
    reasons = await funded.books.ship([*good[:3], bad[0], *good[3:], bad[1]])
    assert set(reasons) == {each.hold.request_id for each in bad}
    assert all(reason.startswith("ValueError: ") for reason in reasons.values())
    wallet = await funded.books.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (6_400, 1_400)
    report = await funded.ledger.verify()
    assert {name for name, count in report.checks.items() if count} == {"endings_that_could_not_be_booked"}
    assert report.checks["endings_that_could_not_be_booked"] == 2


async def test_impossible_endings_of_a_long_page_are_kept_aside_and_block_no_other(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    page = [resolved(hold_request(20), lease.lease_id, 20) for _ in range(100)]
    bad = {page[number].hold.request_id for number in (0, 40, 41, 99)}
    page = [replace(each, charged=21) if each.hold.request_id in bad else each for each in page]
    assert set(await funded.books.ship(page)) == bad
    assert set(await funded.books.ship(page[:40])) == {page[0].hold.request_id}
    wallet = await funded.books.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (10_000 - 96 * 20, 5_000 - 96 * 20)
    report = await funded.ledger.verify()
    assert {name for name, count in report.checks.items() if count} == {"endings_that_could_not_be_booked"}


async def test_what_belongs_to_another_account_or_to_none_is_kept_aside(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    direct = hold_request()
    await funded.books.place(direct)
    other = {"account_id": "acc_2", "key_id": "key_2"}
    strangers = [
        resolved(hold_request(**other), None),
        resolved(hold_request(key_id="key_2"), lease.lease_id),
        resolved(replace(direct, key_id="key_2"), None),
        resolved(replace(direct, amount=2_000), None, 1_500),
    ]
    for each in strangers:
        assert list(await funded.books.ship([each])) == [each.hold.request_id]
    assert (await funded.books.wallet(ACCOUNT)).balance == 10_000


async def test_an_ending_the_database_refuses_is_kept_aside_as_it_was(funded: Storage) -> None:
    lease = await take(funded, 5_000)
    asked = hold_request()
    usage = Usage(uncached_input=2**70, units={"web_search": 1})
    bad = resolved(asked, lease.lease_id, ending=settlement(asked, usage=usage))
    good = resolved(hold_request(), lease.lease_id)
    assert list(await funded.books.ship([bad, good])) == [asked.request_id]
    assert (await funded.books.wallet(ACCOUNT)).balance == 9_400


async def test_shipping_nothing_does_nothing(funded: Storage) -> None:
    assert await funded.books.ship([]) == {}


async def test_times_of_shipping_do_not_change_what_a_request_counts_for(funded: Storage) -> None:
    before_midnight = NOON.replace(hour=23, minute=59, second=59)
    wish = lease_wish(2_000, at=before_midnight)
    await funded.books.lease(wish)
    asked = hold_request(at=before_midnight)
    ended = settlement(asked, at=before_midnight + timedelta(minutes=5))
    await funded.books.ship([resolved(asked, wish.lease_id, ending=ended)])
    assert await figures(funded) == (9_400, 1_400)
