"""What every ledger promises: hold, settle, void, replay, refuse; and books that add up after each.

Over the ledger that serves: leases in memory, endings in a journal, the database behind them.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.domain.errors import BudgetExceeded, Conflict, InsufficientCredit, NotFound
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.ledger import HOUSE, Charge, Hold, HoldRequest, LedgerReport, Replay, Wallet
from monkey_coder_server.ports.usage_reports import Wanted
from packages.server.tests.contract.booking import (
    ACCOUNT,
    KEY,
    NOON,
    StillClock,
    failure,
    hold_request,
    idempotent,
    settlement,
)
from packages.server.tests.contract.test_caps import key

LATER = NOON + timedelta(hours=1)


async def audited(ledger: LeasedLedger) -> LedgerReport:
    """The books once everything that ended is in them; they are sound."""
    await ledger.booked(ACCOUNT)
    report = await ledger.verify()
    assert report.sound, report.details
    assert sum(report.totals.values()) == 0
    return report


async def held(ledger: LeasedLedger, amount: int = 1_000, **changes: Any) -> HoldRequest:
    asked = hold_request(amount, **changes)
    assert isinstance(await ledger.hold(asked), Hold)
    return asked


async def test_a_hold_reserves_and_a_settlement_pays_the_price_and_frees_the_rest(ledger: LeasedLedger) -> None:
    asked = await held(ledger)
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    charge = await ledger.settle(settlement(asked, price=600))
    assert (charge.charged, charge.provider_cost, charge.loss, charge.balance) == (600, 500, 0, 9_400)
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 9_400, 0)
    assert (await audited(ledger)).totals == {
        "customer_credit": 9_400,
        "promotions": -10_000,
        "provider_cost": -500,
        "provider_payable": 500,
        "revenue": 600,
    }


async def test_requests_on_a_lease_are_held_and_charged_as_those_in_the_books_are(
    ledger: LeasedLedger, funded: Storage
) -> None:
    asked = [await held(ledger, 500) for _ in range(6)]
    assert ledger.figures()["leases"] > 0
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 3_000)
    told = [await ledger.settle(settlement(each, price=100 + number)) for number, each in enumerate(asked)]
    assert [charge.balance for charge in told] == [9_900, 9_799, 9_697, 9_594, 9_490, 9_385]
    async with asyncio.timeout(5):
        while (await ledger.wallet(ACCOUNT)).held:  # noqa: ASYNC110 - a lease may be on its way yet
            await asyncio.sleep(0.01)
    assert (await ledger.wallet(ACCOUNT)).balance == 9_385
    for charge in told:
        booked = await funded.books.charge(charge.request_id)
        assert booked is not None
        assert booked.charged == charge.charged
    await audited(ledger)


async def test_a_price_above_the_hold_is_charged_up_to_it_and_the_house_bears_the_rest(ledger: LeasedLedger) -> None:
    charge = await ledger.settle(settlement(await held(ledger), price=1_250))
    assert (charge.charged, charge.loss, charge.balance) == (1_000, 250, 9_000)
    assert (await audited(ledger)).totals["house_loss"] == -250


async def test_a_request_that_costs_nothing_is_settled_all_the_same(ledger: LeasedLedger) -> None:
    charge = await ledger.settle(settlement(await held(ledger, 0), price=0, provider_cost=0))
    assert (charge.charged, charge.balance) == (0, 10_000)
    assert await ledger.receipt(ACCOUNT, charge.receipt_id) is not None
    await audited(ledger)


async def test_settling_again_returns_the_first_charge_whatever_is_said_the_second_time(ledger: LeasedLedger) -> None:
    asked = await held(ledger)
    first = await ledger.settle(settlement(asked, price=600))
    assert await ledger.settle(settlement(asked, price=999)) == first
    await ledger.settle(settlement(await held(ledger), price=100))
    await ledger.booked(ACCOUNT)
    assert await ledger.settle(settlement(asked, price=999)) == first
    assert (await ledger.wallet(ACCOUNT)).balance == 9_300
    await audited(ledger)


async def test_two_settlements_at_once_charge_once(ledger: LeasedLedger) -> None:
    asked = await held(ledger)
    charges = await asyncio.gather(*[ledger.settle(settlement(asked, price=600)) for _ in range(8)])
    assert len(set(charges)) == 1
    assert (await ledger.wallet(ACCOUNT)).balance == 9_400
    await audited(ledger)


async def test_nothing_is_settled_that_was_never_held(ledger: LeasedLedger) -> None:
    with pytest.raises(NotFound):
        await ledger.settle(settlement(hold_request()))
    await ledger.void(failure(hold_request()))
    await audited(ledger)


@pytest.mark.parametrize("changes", [{"account_id": "acc_2"}, {"key_id": "key_2"}, {"provider_cost": -1}])
async def test_an_ending_that_cannot_be_charges_nobody_and_the_audit_tells_of_it(
    ledger: LeasedLedger, changes: dict[str, object]
) -> None:
    asked = await held(ledger)
    await ledger.settle(settlement(asked, **changes))
    await ledger.booked(ACCOUNT)
    report = await ledger.verify()
    assert {name for name, count in report.checks.items() if count} == {"endings_that_could_not_be_booked"}
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)


async def test_what_cannot_be_rendered_for_repeats_leaves_the_hold_open(ledger: LeasedLedger) -> None:
    asked = await held(ledger, idempotency=idempotent())

    def broken(_charge: Charge) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.settle(settlement(asked), remember=broken)
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    assert (await ledger.settle(settlement(asked))).charged == 600
    await audited(ledger)


async def test_a_failed_request_costs_nothing_and_leaves_a_row(ledger: LeasedLedger, funded: Storage) -> None:
    asked = await held(ledger)
    await ledger.void(failure(asked, provider="openai", model="openai/gpt-5", latency_ms=7))
    await ledger.void(failure(asked, provider_cost=99))
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 0)
    [row] = await funded.reports.newest(ACCOUNT, Wanted(NOON, LATER), most=9)
    assert (row.status, row.price, row.provider, row.provider_cost, row.latency_ms) == ("failed", 0, "openai", 0, 7)
    await audited(ledger)


async def test_what_a_provider_bills_for_a_failed_request_is_the_houses_loss(ledger: LeasedLedger) -> None:
    await ledger.void(failure(await held(ledger), provider="xai", provider_cost=80))
    totals = (await audited(ledger)).totals
    assert (totals["house_loss"], totals["provider_payable"], totals["customer_credit"]) == (-80, 80, 10_000)


async def test_what_the_house_pays_itself_is_booked_on_it_without_a_wallet_that_was_opened(
    ledger: LeasedLedger, funded: Storage
) -> None:
    for number in range(2):
        hold = ledger.bear(f"req_1{number}.beaten", NOON)
        asked = HoldRequest(hold.request_id, HOUSE, HOUSE, hold.amount, NOON, expires_at=NOON)
        ledger.underway(hold, failure(asked, provider="xai", provider_cost=70, usage=Usage(estimated=True)))
        await ledger.durable(hold)
        await ledger.void(failure(asked, provider="xai", provider_cost=80))
        await ledger.void(failure(asked, provider="xai", provider_cost=99))
    await ledger.booked(HOUSE)
    rows = await funded.reports.newest(HOUSE, Wanted(NOON, LATER), most=9)
    assert [(row.status, row.price, row.provider_cost, row.estimated) for row in rows] == [("failed", 0, 80, False)] * 2
    totals = (await audited(ledger)).totals
    assert (totals["house_loss"], totals["provider_payable"], totals["customer_credit"]) == (-160, 160, 10_000)
    assert await ledger.wallet(HOUSE) == Wallet(HOUSE, 0, 0)


async def test_what_the_house_pays_is_found_by_the_next_process_at_what_was_last_noted(
    funded: Storage, tmp_path: Path, clock: StillClock
) -> None:
    journals, ids = JournalDirectory(tmp_path / "journal", clock=clock), system_ids()

    async def process() -> LeasedLedger:
        journal = await journals.open(ids.new("gw"))
        return LeasedLedger(funded.books, funded.ledger, journal=journal, journals=journals, clock=clock, ids=ids)

    first = await process()
    await first.start()
    hold = first.bear("req_1.beaten", NOON)
    asked = HoldRequest(hold.request_id, HOUSE, HOUSE, hold.amount, NOON, expires_at=NOON)
    first.underway(
        hold, failure(asked, provider="xai", provider_cost=70, usage=Usage(uncached_input=7, estimated=True))
    )
    await first.durable(hold)
    await first.close()
    second = await process()
    await second.start()
    [row] = await funded.reports.newest(HOUSE, Wanted(NOON, LATER), most=9)
    assert (row.request_id, row.provider_cost, row.estimated) == ("req_1.beaten", 70, True)
    await audited(second)
    await second.close()


async def test_the_parts_of_a_cost_that_others_bill_are_booked(ledger: LeasedLedger) -> None:
    served, failed = await held(ledger), await held(ledger)
    await ledger.settle(settlement(served, provider_cost=500, elsewhere={"xai": 80}))
    await ledger.void(failure(failed, provider="groq", provider_cost=30, elsewhere={"xai": 30}))
    totals = (await audited(ledger)).totals
    assert (totals["provider_cost"], totals["house_loss"], totals["provider_payable"]) == (-500, -30, 530)


async def test_a_settled_request_is_not_voided_and_a_voided_one_not_charged(ledger: LeasedLedger) -> None:
    settled, voided = await held(ledger), await held(ledger)
    await ledger.settle(settlement(settled, price=600))
    await ledger.void(failure(settled, provider="xai", provider_cost=9))
    await ledger.void(failure(voided))
    with pytest.raises(NotFound):
        await ledger.settle(settlement(voided, price=600))
    totals = (await audited(ledger)).totals
    assert (totals["customer_credit"], totals["provider_cost"]) == (9_400, -500)
    assert "house_loss" not in totals


async def test_a_settlement_goes_on_when_its_caller_leaves(ledger: LeasedLedger) -> None:
    asked = await held(ledger)
    task = asyncio.create_task(ledger.settle(settlement(asked, price=600)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ledger.settle(settlement(asked, price=1))).charged == 600
    await audited(ledger)


async def test_a_refused_hold_says_what_there_is_and_what_was_needed(ledger: LeasedLedger) -> None:
    await held(ledger, 9_000)
    with pytest.raises(InsufficientCredit) as refused:
        await ledger.hold(hold_request(1_001))
    assert refused.value.facts == {
        "balance_usd": "0.00001",
        "available_usd": "0.000001",
        "needed_usd": "0.000001001",
        "limit": "balance",
    }
    assert "0.000001 USD" in refused.value.message
    await audited(ledger)


async def test_the_last_nano_dollar_can_be_held(ledger: LeasedLedger) -> None:
    for amount in (4_000, 3_000, 2_999, 1):
        await held(ledger, amount)
    with pytest.raises(InsufficientCredit):
        await ledger.hold(hold_request(1))
    await audited(ledger)


async def test_a_request_id_is_held_once(ledger: LeasedLedger) -> None:
    asked = await held(ledger)
    with pytest.raises(Conflict):
        await ledger.hold(asked)
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 1_000)
    await audited(ledger)


async def test_an_account_without_a_wallet_holds_nothing(ledger: LeasedLedger) -> None:
    with pytest.raises(NotFound):
        await ledger.hold(hold_request(account_id="acc_none"))
    with pytest.raises(NotFound):
        await ledger.wallet("acc_none")
    await audited(ledger)


@pytest.mark.parametrize(
    ("caps", "limit"),
    [
        (Caps(day=1_000), "key_day_cap"),
        (Caps(month=1_000), "key_month_cap"),
        (Caps(total=1_000), "key_total_cap"),
        (Caps(day=5_000, month=1_000, total=1_001), "key_month_cap"),
    ],
)
async def test_a_cap_admits_up_to_itself_and_a_refusal_names_it(
    ledger: LeasedLedger, funded: Storage, caps: Caps, limit: str
) -> None:
    await funded.keys.create(key(caps))
    await ledger.settle(settlement(await held(ledger, 500), price=300))
    await held(ledger, 400)
    await held(ledger, 299)
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.hold(hold_request(2))
    facts = refused.value.facts
    assert (facts["limit"], facts["spent_usd"], facts["held_usd"]) == (limit, "0.0000003", "0.000000699")
    await held(ledger, 1)
    await audited(ledger)


@pytest.mark.parametrize("caps", [Caps(), Caps(total=5_000)])
async def test_exactly_as_many_holds_are_granted_as_balance_and_cap_cover(
    ledger: LeasedLedger, funded: Storage, caps: Caps
) -> None:
    await funded.keys.create(key(caps))
    granted = 0

    async def one_client() -> None:
        nonlocal granted
        for _ in range(10):
            try:
                await held(ledger, 100)
                granted += 1
            except (InsufficientCredit, BudgetExceeded):
                return

    await asyncio.gather(*[one_client() for _ in range(32)])
    spendable = caps.total or 10_000
    assert granted == spendable // 100
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, spendable)
    await audited(ledger)


async def test_a_repeat_under_an_idempotency_key_gets_the_first_result_and_pays_nothing(ledger: LeasedLedger) -> None:
    first = await held(ledger, idempotency=idempotent())
    await ledger.settle(settlement(first), remember=lambda charge: b"charged %d" % charge.charged)
    for _ in range(2):
        replay = await ledger.hold(hold_request(idempotency=idempotent()))
        assert replay == Replay(first.request_id, b"charged 600")
    assert await ledger.earlier(ACCOUNT, idempotent()) == Replay(first.request_id, b"charged 600")
    assert await ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 9_400, 0)
    await audited(ledger)


async def test_a_receipt_is_found_by_its_id_and_its_requests_by_its_own_account_only(
    ledger: LeasedLedger, signer: Ed25519Signer
) -> None:
    asked = await held(ledger)
    charge = await ledger.settle(settlement(asked))
    receipt = await ledger.receipt(ACCOUNT, charge.receipt_id)
    assert receipt is not None
    assert receipt == await ledger.receipt(ACCOUNT, asked.request_id)
    assert await ledger.receipt("acc_2", charge.receipt_id) is None
    assert await ledger.receipt(ACCOUNT, "rcpt_none") is None
    public_key = signer.public_keys()[receipt.signing_key_id]
    assert signer.valid(receipt.body, signature=receipt.signature, public_key=public_key)
    assert '"charge_nano":600' in receipt.body
    assert '"hold_nano":1000' in receipt.body


async def test_usage_rows_come_newest_first_within_the_asked_time(ledger: LeasedLedger, funded: Storage) -> None:
    for minute in (30, 10, 20):
        asked = await held(ledger, 100, at=NOON + timedelta(minutes=minute))
        await ledger.settle(settlement(asked, price=60, at=asked.at, usage=Usage(output=9, estimated=True)))
    await ledger.booked(ACCOUNT)
    start, end = NOON + timedelta(minutes=10), NOON + timedelta(minutes=30)
    rows = await funded.reports.newest(ACCOUNT, Wanted(start, end), most=9)
    assert [row.at for row in rows] == [NOON + timedelta(minutes=20), NOON + timedelta(minutes=10)]
    row = rows[0]
    assert (row.key_id, row.price, row.output_tokens, row.estimated, row.stream) == (KEY, 60, 9, True, False)
    assert len(await funded.reports.newest(ACCOUNT, Wanted(start, end), most=1)) == 1
    assert await funded.reports.newest("acc_2", Wanted(start, end), most=9) == []


async def test_what_was_spent_is_summed_over_all_requests_of_a_time(ledger: LeasedLedger) -> None:
    for minute in range(5):
        asked = await held(ledger, at=NOON + timedelta(minutes=minute))
        await ledger.settle(settlement(asked, price=100 + minute, at=asked.at))
    await ledger.void(failure(await held(ledger)))
    assert await ledger.spent(ACCOUNT, start=NOON, end=NOON + timedelta(days=1)) == 510
    start, end = NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)
    assert await ledger.spent(ACCOUNT, start=start, end=end) == 203
    assert await ledger.spent("acc_2", start=NOON, end=NOON + timedelta(days=1)) == 0
