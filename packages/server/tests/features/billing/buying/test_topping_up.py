"""Automatic top-ups: one payment at a time whatever happens to processes and answers, until three in a row fail."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.payments import DisputeSeen, DisputeState, PaymentSeen, PaymentState, Purpose
from monkey_coder_server.features.billing.buying import ToppingUp
from packages.server.tests.conftest import Customer
from packages.server.tests.features.billing.ahead import AheadClock
from packages.server.tests.features.billing.buying.bank import CARD
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
USD = 1_000_000_000
RULE = {"threshold_usd": "10", "amount_usd": "25", "monthly_maximum_usd": "60"}
DECLINED = (PaymentState.FAILED, "insufficient_funds")
ASKS = (PaymentState.NEEDS_ACTION, "authentication_required")


@dataclass(slots=True)
class Watch:
    """Somebody whose balance is low, with a rule; and the time."""

    shop: Shop
    customer: Customer
    clock: AheadClock

    def job(self) -> ToppingUp:
        return ToppingUp(replace(self.shop.use, clock=self.clock), self.shop.bank.gate)

    async def rounds(self, number: int = 1) -> None:
        for _ in range(number):
            await self.job().run()

    def charges(self) -> list[PaymentSeen]:
        made = self.shop.bank.payments_made.values()
        return [each for each in made if each.account_id == self.customer.account_id and each.purpose is Purpose.TOP_UP]

    async def standing(self) -> dict[str, Any]:
        shown: dict[str, Any] = (await self.shop.ask(self.customer, "GET", "top-up")).json()
        return shown


@pytest_asyncio.fixture(loop_scope="module")
async def watch(shop: Shop) -> AsyncIterator[Watch]:
    customer = await shop.bought(usd=20, save_card=True)
    answer = await shop.ask(customer, "PUT", "top-up", RULE)
    assert answer.status_code == 200, answer.text
    await shop.spend(customer, 15 * USD)
    watch = Watch(shop, customer, AheadClock(shop.use.clock))
    yield watch
    await shop.ask(customer, "DELETE", "top-up")
    shop.bank.away, shop.bank.lost = False, 0
    watch.clock.ahead += timedelta(days=1)
    await watch.rounds()


async def test_a_balance_that_fell_is_topped_up_once(watch: Watch) -> None:
    await watch.rounds(3)
    [charge] = watch.charges()
    assert (charge.cents, charge.purpose) == (2_500, Purpose.TOP_UP)
    assert await watch.shop.balance(watch.customer) == 30 * USD
    standing = await watch.standing()
    assert (standing["state"], standing["charged_this_month_usd"]) == ("on", "25.00")
    newest = (await watch.shop.trail(watch.customer))[0]
    assert (newest["action"], newest["actor"], newest["details"]) == ("top_up.charge", "gateway", "25.00 USD")
    [paid, _] = (await watch.shop.ask(watch.customer, "GET", "payments")).json()["payments"]
    assert (paid["purpose"], paid["state"]) == ("top_up", "succeeded")


async def test_many_sweeps_at_once_charge_once(watch: Watch) -> None:
    begun = await asyncio.gather(*[watch.job().run() for _ in range(32)])
    assert sum(begun) == 1
    assert len(watch.charges()) == 1
    assert await watch.shop.balance(watch.customer) == 30 * USD


async def test_the_monthly_maximum_is_exact(watch: Watch) -> None:
    for _ in range(4):
        await watch.rounds()
        await watch.shop.spend(watch.customer, await watch.shop.balance(watch.customer))
    assert [each.cents for each in watch.charges()] == [2_500, 2_500]
    watch.clock.ahead = timedelta(days=32)
    await watch.rounds()
    assert len(watch.charges()) == 3


async def test_an_answer_that_is_lost_after_the_work_is_one_charge(watch: Watch) -> None:
    watch.shop.bank.lost = 1
    await watch.rounds(3)
    assert (len(watch.charges()), await watch.shop.balance(watch.customer)) == (1, 5 * USD)
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds(2)
    assert (len(watch.charges()), await watch.shop.balance(watch.customer)) == (1, 30 * USD)


async def test_a_day_later_a_lost_charge_is_looked_up_before_it_is_repeated(watch: Watch) -> None:
    watch.shop.bank.lost = 1
    await watch.rounds()
    watch.shop.bank.forget_keys()
    watch.clock.ahead = timedelta(hours=30)
    await watch.rounds(2)
    assert (len(watch.charges()), await watch.shop.balance(watch.customer)) == (1, 30 * USD)


async def test_a_lost_charge_is_found_also_when_the_card_is_gone_since(watch: Watch) -> None:
    watch.shop.bank.lost = 1
    await watch.rounds()
    customer_id = await watch.shop.use.books.customer(watch.customer.account_id)
    del watch.shop.bank.cards[customer_id]
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds()
    assert (len(watch.charges()), await watch.shop.balance(watch.customer)) == (1, 30 * USD)


async def test_a_lost_charge_is_found_also_when_the_card_was_changed_since(watch: Watch) -> None:
    watch.shop.bank.lost = 1
    await watch.rounds()
    customer_id = await watch.shop.use.books.customer(watch.customer.account_id)
    watch.shop.bank.cards[customer_id] = replace_card("pm_2")
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds()
    assert (len(watch.charges()), await watch.shop.balance(watch.customer)) == (1, 30 * USD)


def replace_card(method_id: str) -> Any:
    return type(CARD)(method_id, CARD.brand, CARD.last_four, CARD.expires)


async def test_a_processor_that_is_away_is_asked_again_and_counts_as_no_failure(watch: Watch) -> None:
    watch.shop.bank.away = True
    await watch.rounds(3)
    watch.shop.bank.away = False
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds()
    assert len(watch.charges()) == 1
    assert (await watch.standing())["failures_in_a_row"] == 0
    assert not watch.shop.letters


async def test_three_failures_switch_it_off_with_a_letter_each_and_pauses_between(watch: Watch) -> None:
    watch.shop.bank.outcomes += [DECLINED] * 3
    for number, pause in ((1, timedelta(hours=1)), (2, timedelta(days=1)), (3, timedelta(days=40))):
        await watch.rounds(3)
        assert len(watch.charges()) == number
        standing = await watch.standing()
        assert (standing["failures_in_a_row"], standing["last_failure"]) == (number, "insufficient_funds")
        watch.clock.ahead += pause
    assert (standing["state"], standing["charged_this_month_usd"]) == ("off", "0.00")
    await watch.rounds(2)
    assert len(watch.charges()) == 3
    subjects = [(address, notice.subject) for address, notice in watch.shop.letters]
    assert subjects == [
        (watch.customer.email, "A top-up of your balance failed"),
        (watch.customer.email, "A top-up of your balance failed"),
        (watch.customer.email, "Automatic top-up is switched off"),
    ]
    assert "insufficient_funds" in " ".join(watch.shop.letters[0][1].paragraphs)
    assert watch.shop.letters[0][1].page == ("Add credit now", "/billing?amount_usd=25.00&save_card=1")
    newest = (await watch.shop.trail(watch.customer))[0]
    assert (newest["action"], "switched off" in newest["details"]) == ("top_up.fail", True)
    assert (await watch.shop.ask(watch.customer, "PUT", "top-up", RULE)).json()["state"] == "on"


async def test_a_success_forgets_failures(watch: Watch) -> None:
    watch.shop.bank.outcomes += [DECLINED, DECLINED]
    for _ in range(3):
        await watch.rounds()
        watch.clock.ahead += timedelta(days=1, hours=1)
    standing = await watch.standing()
    assert (standing["failures_in_a_row"], standing["last_failure"], standing["state"]) == (0, "", "on")
    assert await watch.shop.balance(watch.customer) == 30 * USD


async def test_a_bank_that_wants_its_customer_is_told_with_a_link_to_pay(watch: Watch) -> None:
    watch.shop.bank.outcomes += [ASKS]
    await watch.rounds(2)
    assert [each.state for each in watch.charges()] == [PaymentState.FAILED], "it can never be charged"
    [(address, notice)] = watch.shop.letters
    assert (address, notice.subject) == (watch.customer.email, "Your bank asks you to confirm a payment")
    assert notice.page == ("Pay 25.00 USD", "/billing?amount_usd=25.00&save_card=1")
    assert await watch.shop.balance(watch.customer) == 5 * USD
    await watch.shop.buy(watch.customer, usd=25, save_card=True)
    watch.clock.ahead = timedelta(hours=2)
    await watch.rounds(2)
    assert len(watch.charges()) == 1
    assert await watch.shop.balance(watch.customer) == 30 * USD


async def test_a_payment_the_bank_asked_about_is_ended_also_when_that_answer_is_lost(watch: Watch) -> None:
    watch.shop.bank.outcomes += [ASKS]
    watch.shop.bank.lost_of.add("cancel")
    await watch.rounds()
    assert not watch.shop.letters
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds()
    assert [notice.subject for _, notice in watch.shop.letters] == ["Your bank asks you to confirm a payment"]
    assert [each.state for each in watch.charges()] == [PaymentState.FAILED]


async def test_a_payment_that_its_customer_confirmed_before_it_was_ended_is_received(watch: Watch) -> None:
    watch.shop.bank.outcomes += [ASKS]
    watch.shop.bank.confirms = True
    await watch.rounds(2)
    assert [each.state for each in watch.charges()] == [PaymentState.SUCCEEDED]
    assert await watch.shop.balance(watch.customer) == 30 * USD
    assert (await watch.standing())["failures_in_a_row"] == 0
    assert not watch.shop.letters


async def test_a_payment_that_takes_its_time_is_waited_for_and_no_other_begun(watch: Watch) -> None:
    watch.shop.bank.outcomes += [(PaymentState.PENDING, "")]
    await watch.rounds(3)
    [charge] = watch.charges()
    assert await watch.shop.balance(watch.customer) == 5 * USD
    watch.shop.bank.payments_made[charge.payment_id] = replace(charge, state=PaymentState.SUCCEEDED)
    watch.clock.ahead = timedelta(minutes=2)
    await watch.rounds(2)
    assert len(watch.charges()) == 1
    assert await watch.shop.balance(watch.customer) == 30 * USD


async def test_without_a_card_or_customer_it_counts_as_failed(watch: Watch) -> None:
    customer_id = await watch.shop.use.books.customer(watch.customer.account_id)
    del watch.shop.bank.cards[customer_id]
    await watch.rounds()
    assert (await watch.standing())["last_failure"] == "no card is saved"
    watch.shop.bank.deleted.add(customer_id)
    watch.clock.ahead = timedelta(hours=2)
    await watch.rounds()
    assert (await watch.standing())["failures_in_a_row"] == 2
    assert not watch.charges()


async def test_a_frozen_account_is_not_charged(watch: Watch) -> None:
    paid = next(each for each in watch.shop.bank.payments_made.values() if each.account_id == watch.customer.account_id)
    dispute = DisputeSeen(dispute_id="dp_1", cents=paid.cents, state=DisputeState.OPEN, withdrawn=True)
    await watch.shop.use.books.book(replace(paid, disputes=(dispute,)))
    await watch.rounds(2)
    assert not watch.charges()
    await watch.shop.use.books.book(replace(paid, disputes=(replace(dispute, state=DisputeState.WON),)))
    watch.clock.ahead = timedelta(minutes=11)
    await watch.rounds(2)
    assert len(watch.charges()) == 1


async def test_after_it_is_removed_nothing_is_charged(watch: Watch) -> None:
    gone = await watch.shop.ask(watch.customer, "DELETE", "top-up")
    assert gone.status_code == 200
    await watch.rounds(2)
    assert not watch.charges()
