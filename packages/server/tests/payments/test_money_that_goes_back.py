"""Refunds, disputes and warnings as Stripe tells of them: whatever came first, the books end as if told in order."""

import json
from datetime import timedelta
from itertools import permutations

import pytest

from monkey_coder_server.domain.errors import PaymentRefused
from monkey_coder_server.ports.payment_books import Standing
from packages.server.tests.payments.till import CENT, Till

pytestmark = pytest.mark.system
TOLD = ("checkout.session.completed", "payment_intent.succeeded", "charge.refunded", "charge.dispute.created")
WEEK = timedelta(days=7)


async def owes(till: Till, cents: int, frozen: str) -> None:
    assert await till.standing() == Standing(till.account_id, cents * CENT, frozen)


async def sound(till: Till) -> None:
    """The books hold together, and hold what Stripe holds."""
    report = await till.gateway.books.storage.ledger.verify()
    assert report.sound, report.details
    found = await till.side.reconcile(WEEK)
    assert (found.sound, found.repaired) == (True, 0)


async def test_events_in_each_of_their_orders_end_as_in_order(till: Till) -> None:
    """24 payments, each told of in another order: paid, refunded in part, the rest disputed."""
    till.control.script(lose=10_000)
    orders = list(permutations(TOLD))
    payments = []
    for _ in orders:
        payments.append(await till.buy(2_500))
        till.control.refund(payments[-1], 700)
        till.control.open_dispute(payments[-1], cents=300)
    told = {kind: till.control.find("event", type=kind) for kind in TOLD}
    for step in range(len(TOLD)):
        for number, order in enumerate(orders):
            till.control.resend(told[order[step]][number]["id"])
        await till.settled()
        reached = await till.rows("SELECT count(*), min(cents), max(cents) FROM payments")
        assert step or reached == [(24, 2_500, 2_500)], "one event is enough, whichever it is"
    kept = await till.rows("SELECT DISTINCT grant_id IS NULL, taken, claimed, refunded, debt FROM payments")
    assert kept == [(False, 700 * CENT, 300 * CENT, 700 * CENT, 0)]
    assert await till.balance() == 24 * (2_500 - 700 - 300)
    await owes(till, 0, "dispute")
    await sound(till)


@pytest.mark.parametrize("back", [2_500, 700])
async def test_what_is_refunded_before_it_was_granted_gives_the_rest(till: Till, back: int) -> None:
    till.control.script(lose=10_000)
    payment = await till.buy(2_500)
    till.control.refund(payment, back)
    [refunded] = till.control.find("event", type="charge.refunded")
    till.control.resend(refunded["id"])
    await till.settled()
    assert await till.balance() == 2_500 - back
    for late in till.control.find("event", type="payment_intent.succeeded"):
        till.control.resend(late["id"])
    await till.settled()
    assert await till.balance() == 2_500 - back
    await owes(till, 0, "")
    await sound(till)


async def test_more_refunded_than_is_left_is_owed_and_the_key_is_blocked_until_it_is_paid(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    await till.spend(1_600)
    till.control.refund(payment)
    await till.settled()
    assert await till.balance() == 0
    await owes(till, 1_600, "debt")
    assert await till.refused() == "insufficient_credit"
    await sound(till)
    await till.buy(1_700)
    await till.settled()
    await owes(till, 0, "")
    assert await till.balance() == 100
    assert await till.refused() == ""


async def test_refunds_never_sum_to_more_than_was_paid(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    for number in (1, 2):
        await till.gate.refund(payment, 1_200, f"order_{number}", key=f"order_{number}")
    with pytest.raises(PaymentRefused):
        await till.gate.refund(payment, 101, "order_3", key="order_3")
    await till.settled()
    assert await till.balance() == 100
    refused = await till.ask("POST", "refunds", {"amount_usd": "1.01"})
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    assert await till.balance() == 100
    assert sum(each["amount"] for each in till.control.find("refund")) == 2_400
    await sound(till)


async def test_a_dispute_freezes_until_it_is_decided_and_the_last_decision_counts(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    await till.spend(1_000)
    claim = till.control.open_dispute(payment)["id"]
    await till.settled()
    assert await till.balance() == 0
    await owes(till, 0, "dispute")
    assert await till.refused() == "insufficient_credit"
    till.control.decide_dispute(claim, won=False)
    await till.settled()
    await owes(till, 1_000, "debt")
    await sound(till)
    till.control.decide_dispute(claim, won=True)
    await till.settled()
    await owes(till, 0, "")
    assert await till.balance() == 1_500
    await sound(till)
    assert await till.refused() == ""


async def test_a_dispute_lost_and_won_is_won_whatever_comes_last(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    till.control.script(lose=10_000)
    claim = till.control.open_dispute(payment)["id"]
    till.control.decide_dispute(claim, won=False)
    till.control.decide_dispute(claim, won=True)
    lost, won = till.control.find("event", type="charge.dispute.closed")
    assert [each["data"]["object"]["status"] for each in (lost, won)] == ["lost", "won"]
    for event in (won, lost):
        till.control.resend(event["id"])
        await till.settled()
    assert await till.balance() == 2_500
    await owes(till, 0, "")
    await sound(till)


async def test_an_inquiry_freezes_nothing_until_it_becomes_a_dispute(till: Till) -> None:
    payment = await till.buy(2_500)
    asked = till.control.open_dispute(payment, inquiry=True)["id"]
    await till.settled()
    await owes(till, 0, "")
    till.control.escalate(asked)
    await till.settled()
    await owes(till, 0, "dispute")
    await sound(till)


async def test_a_warning_of_fraud_freezes_until_an_operator_lifts_it(till: Till) -> None:
    payment = await till.buy(2_500)
    await till.settled()
    till.control.warn_of_fraud(payment)
    await till.settled()
    await owes(till, 0, "fraud_warning")
    assert await till.refused() == "insufficient_credit"
    await till.gateway.books.storage.payments.thaw(till.account_id, forgive=False)
    [warned] = till.control.find("event", type="radar.early_fraud_warning.created")
    body = json.dumps(warned)
    assert payment in body
    till.control.resend(warned["id"])
    await till.settled()
    await owes(till, 0, "")
    assert await till.refused() == ""


async def test_a_refund_that_comes_back_from_the_bank_gives_the_credit_back(till: Till) -> None:
    payment = await till.buy(2_500)
    refund = till.control.refund(payment, 700)["id"]
    await till.settled()
    assert await till.balance() == 1_800
    till.control.settle_refund(refund, failed=True)
    await till.settled()
    assert await till.balance() == 2_500
    await sound(till)
