"""Giving back: never what is spent, sent until it is certain, and once whatever happens to answers."""

import asyncio
from dataclasses import replace

import pytest

from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, RefundSeen, RefundState
from monkey_coder_server.features.billing.buying import RefundSending
from packages.server.tests.conftest import Customer
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
USD = 1_000_000_000


def sending(shop: Shop) -> RefundSending:
    return RefundSending(shop.use, shop.bank.gate)


async def states(shop: Shop, customer: Customer) -> list[tuple[str, str]]:
    found = (await shop.ask(customer, "GET", "refunds")).json()["refunds"]
    return [(each["amount_usd"], each["state"]) for each in found]


async def test_an_unused_part_is_given_back_and_told(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.spend(customer, 3 * USD)
    payments = (await shop.ask(customer, "GET", "payments")).json()
    [paid] = payments["payments"]
    assert (paid["amount_usd"], paid["state"], paid["purpose"]) == ("20.00", "succeeded", "credit")
    assert paid["refundable_usd"] == payments["refundable_usd"] == "17.00"
    ordered = (await shop.ask(customer, "POST", "refunds", {"amount_usd": "7", "reason": "not needed"})).json()
    assert (ordered["count"], ordered["refunds"][0]["state"], ordered["refunds"][0]["reason"]) == (
        1,
        "pending",
        "not needed",
    )
    assert await shop.balance(customer) == 10 * USD
    assert await states(shop, customer) == [("7.00", "pending")]
    assert await sending(shop).send() >= 1
    assert await states(shop, customer) == [("7.00", "succeeded")]
    [paid] = (await shop.ask(customer, "GET", "payments")).json()["payments"]
    assert (paid["refunded_usd"], paid["refundable_usd"]) == ("7.00", "10.00")


async def test_all_is_whole_cents_and_what_is_less_stays_as_credit(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.spend(customer, 3 * USD + 1)
    ordered = (await shop.ask(customer, "POST", "refunds", {"amount_usd": "all"})).json()
    assert [each["amount_usd"] for each in ordered["refunds"]] == ["16.99"]
    assert await shop.balance(customer) == 9_999_999
    nothing = await shop.ask(customer, "POST", "refunds", {"amount_usd": "all"})
    assert (nothing.status_code, nothing.json()["error_code"]) == (409, "conflict")


async def test_more_than_is_left_is_refused_and_takes_nothing(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.spend(customer, 15 * USD)
    refused = await shop.ask(customer, "POST", "refunds", {"amount_usd": "5.01"})
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    assert "5.00 USD" in refused.json()["detail"]
    assert await shop.balance(customer) == 5 * USD


async def test_what_was_given_by_the_house_is_not_given_back(shop: Shop) -> None:
    customer = await shop.house.customer(usd=50)
    refused = await shop.ask(customer, "POST", "refunds", {"amount_usd": "all"})
    assert refused.status_code == 409
    assert await shop.balance(customer) == 50 * USD


async def test_of_many_refunds_at_once_no_more_than_was_bought_goes_back(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    answers = await asyncio.gather(*[shop.ask(customer, "POST", "refunds", {"amount_usd": "3"}) for _ in range(32)])
    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [409] * 26
    assert await shop.balance(customer) == 2 * USD
    senders = [sending(shop) for _ in range(8)]
    await asyncio.gather(*[each.send() for each in senders])
    assert await states(shop, customer) == [("3.00", "succeeded")] * 6
    assert sum(each.cents for paid in paid_by(shop, customer) for each in paid.refunds) == 1_800


def paid_by(shop: Shop, customer: Customer) -> list[PaymentSeen]:
    return [each for each in shop.bank.payments_made.values() if each.account_id == customer.account_id]


async def test_one_key_orders_one_refund(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    for _ in range(3):
        answer = await shop.ask(customer, "POST", "refunds", {"amount_usd": "5"}, idempotency_key="give it back")
        assert answer.status_code == 200
    assert await shop.balance(customer) == 15 * USD


async def test_a_refund_of_several_purchases_is_a_part_of_each_and_all_are_sent(shop: Shop) -> None:
    customer = await shop.bought(usd=10)
    await shop.buy(customer, usd=10)
    ordered = (await shop.ask(customer, "POST", "refunds", {"amount_usd": "15"})).json()
    assert sorted(each["amount_usd"] for each in ordered["refunds"]) == ["10.00", "5.00"]
    assert len({each["payment_id"] for each in ordered["refunds"]}) == 2
    await sending(shop).send()
    assert sorted(await states(shop, customer)) == [("10.00", "succeeded"), ("5.00", "succeeded")]


async def test_an_answer_that_is_lost_after_the_work_gives_back_once_also_days_later(shop: Shop) -> None:
    await sending(shop).send()  # what other tests ordered, so that the lost answer is this one's
    customer = await shop.bought(usd=20)
    await shop.ask(customer, "POST", "refunds", {"amount_usd": "5"})
    shop.bank.lost = 1
    await sending(shop).send()
    assert await states(shop, customer) == [("5.00", "pending")]
    shop.bank.forget_keys()
    await sending(shop).send()
    assert await states(shop, customer) == [("5.00", "succeeded")]
    [paid] = paid_by(shop, customer)
    assert [each.cents for each in paid.refunds] == [500]


async def test_a_processor_that_is_away_is_asked_again_later_and_not_at_once(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.ask(customer, "POST", "refunds", {"amount_usd": "5"})
    shop.bank.away, sender = True, sending(shop)
    assert await sender.send() >= 1
    assert await sender.send() == 0
    shop.bank.away = False
    assert await sending(shop).send() >= 1
    assert await states(shop, customer) == [("5.00", "succeeded")]


async def test_a_refund_that_is_refused_comes_back_as_credit(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.ask(customer, "POST", "refunds", {"amount_usd": "5"})
    shop.bank.refuses_refunds = True
    await sending(shop).send()
    assert await states(shop, customer) == [("5.00", "failed")]
    assert await shop.balance(customer) == 20 * USD


async def test_a_refund_the_bank_fails_after_days_comes_back_as_credit(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    shop.bank.refund_state = RefundState.PENDING
    await shop.ask(customer, "POST", "refunds", {"amount_usd": "5"})
    await sending(shop).send()
    shop.bank.refund_state = RefundState.SUCCEEDED
    assert await states(shop, customer) == [("5.00", "pending")]
    assert await shop.balance(customer) == 15 * USD
    [paid] = paid_by(shop, customer)
    failed = replace(paid.refunds[0], state=RefundState.FAILED)
    shop.bank.payments_made[paid.payment_id] = replace(paid, refunds=(failed,))
    await sending(shop).send()
    assert await states(shop, customer) == [("5.00", "failed")]
    assert await shop.balance(customer) == 20 * USD


async def test_a_payment_refunded_in_the_dashboard_before_it_was_booked_gives_nothing(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    await shop.ask(customer, "POST", "checkout", {"amount_usd": 10})
    paid = shop.bank.pay(shop.bank.pages[-1])
    gone = RefundSeen(refund_id="re_dash", cents=1_000, state=RefundState.SUCCEEDED)
    await shop.use.books.book(replace(paid, refunds=(gone,)))
    assert await shop.balance(customer) == 0
    assert (await shop.ask(customer, "GET", "payments")).json()["refundable_usd"] == "0.00"


async def test_a_bank_debit_that_fails_five_days_later_gives_nothing_at_any_time(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    await shop.ask(customer, "POST", "checkout", {"amount_usd": 10})
    pending = shop.bank.pay(shop.bank.pages[-1], PaymentState.PENDING)
    await shop.use.books.book(pending)
    assert await shop.balance(customer) == 0
    [shown] = (await shop.ask(customer, "GET", "payments")).json()["payments"]
    assert (shown["state"], shown["refundable_usd"]) == ("pending", "0.00")
    await shop.use.books.book(replace(pending, state=PaymentState.FAILED, failure="account closed"))
    [shown] = (await shop.ask(customer, "GET", "payments")).json()["payments"]
    assert (shown["state"], shown["failure"]) == ("failed", "account closed")
    assert await shop.balance(customer) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"amount_usd": "0"},
        {"amount_usd": "1.005"},
        {"amount_usd": "everything"},
        {"amount_usd": "1", "reason": "a\nb"},
    ],
)
async def test_what_is_no_amount_or_reason_is_refused(shop: Shop, body: dict[str, str]) -> None:
    customer = await shop.bought(usd=20)
    assert (await shop.ask(customer, "POST", "refunds", body)).status_code == 400
    assert await shop.balance(customer) == 20 * USD


async def test_refunds_are_in_the_trail(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    await shop.ask(customer, "POST", "refunds", {"amount_usd": "5", "reason": "too much"})
    await sending(shop).send()
    newest = (await shop.trail(customer))[0]
    assert (newest["action"], newest["outcome"], newest["actor"]) == ("refund.order", "done", customer.user_id)
    assert newest["details"] == "5.00 USD of 1 payments; too much"
