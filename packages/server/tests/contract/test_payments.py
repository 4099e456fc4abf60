"""What customers pay becomes credit once, and what is taken back is taken once, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, GatewayError, InsufficientCredit, InvalidRequest, NotFound
from monkey_coder_server.domain.payments import PaymentState, Purpose
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.ports.payment_books import Entitlement, Standing
from packages.server.tests.contract.booking import (
    ACCOUNT,
    StillClock,
    hold_request,
    lease_wish,
    resolved,
    settle,
)
from packages.server.tests.contract.paying import CENT, dispute, paid, refund


@pytest.fixture
async def store(store: Storage) -> AsyncIterator[Storage]:
    """A store with one empty wallet, whose books are sound after each test, and its statement tells all that moved."""
    await store.ledger.open_wallet(ACCOUNT)
    yield store
    began, ended = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    told = await store.statements.credit(ACCOUNT, start=began, end=ended, most=2_000)
    assert (told.opening, told.closing) == (0, await balance(store))
    assert sum(moved.amount for moved in told.moved) == told.closing + told.charged
    report = await store.ledger.verify()
    assert report.sound, report.details


async def balance(store: Storage) -> int:
    return (await store.ledger.wallet(ACCOUNT)).balance


async def totals(store: Storage) -> dict[str, int]:
    return {kind: amount for kind, amount in (await store.ledger.verify()).totals.items() if amount}


async def spend(store: Storage, amount: int) -> None:
    asked = hold_request(amount)
    await store.books.place(asked)
    await settle(store.books, asked, amount, provider_cost=0)


async def test_a_payment_gives_its_credit_once(store: Storage) -> None:
    first = await store.payments.book(paid(1_000))
    assert (first.account_id, first.granted, first.changed) == (ACCOUNT, 1_000 * CENT, True)
    again = await store.payments.book(paid(1_000))
    assert (again.granted, again.changed) == (0, False)
    assert await balance(store) == 1_000 * CENT
    assert await totals(store) == {"customer_credit": 1_000 * CENT, "cash": -1_000 * CENT}
    [grant] = await store.ledger.grants(ACCOUNT)
    assert (grant.kind, grant.remaining, grant.expires_at) == ("purchase", 1_000 * CENT, None)


async def test_what_is_not_paid_yet_gives_nothing(store: Storage) -> None:
    for state in (PaymentState.PENDING, PaymentState.NEEDS_ACTION, PaymentState.FAILED):
        assert not (await store.payments.book(paid(state=state))).changed
    assert (await store.payments.book(paid())).granted == 1_000 * CENT
    assert not (await store.payments.book(paid(state=PaymentState.PENDING))).changed


async def test_the_tax_in_a_payment_is_the_states(store: Storage) -> None:
    await store.payments.book(paid(1_190, tax_cents=190))
    assert await totals(store) == {
        "customer_credit": 1_000 * CENT,
        "tax_payable": 190 * CENT,
        "cash": -1_190 * CENT,
    }
    await store.payments.book(paid(1_190, tax_cents=190, refunds=(refund(1_190),)))
    assert await totals(store) == {}


async def test_a_thousand_tellings_at_once_grant_once(store: Storage) -> None:
    booked = await asyncio.gather(*[store.payments.book(paid()) for _ in range(1_000)])
    assert sum(each.granted for each in booked) == 1_000 * CENT
    assert await balance(store) == 1_000 * CENT


async def test_another_currency_gives_nothing_and_is_kept_aside(store: Storage) -> None:
    booked = await store.payments.book(paid(currency="eur", early_fraud_warning=True, disputes=(dispute(1_000),)))
    assert (booked.granted, booked.changed, booked.kept_aside) == (0, False, "currency")
    assert booked.standing == Standing(ACCOUNT, 0, "")
    assert await totals(store) == {}


async def test_a_payment_of_nobody_is_not_booked(store: Storage) -> None:
    with pytest.raises(NotFound):
        await store.payments.book(paid(account_id="", customer_id="cus_unknown"))
    with pytest.raises(NotFound):
        await store.payments.book(paid(account_id="acc_without_wallet"))
    with pytest.raises(InvalidRequest):
        await store.payments.book(paid(100, tax_cents=101))


async def test_of_two_customers_the_first_stands(store: Storage) -> None:
    assert await store.payments.customer(ACCOUNT) is None
    kept = await asyncio.gather(*[store.payments.keep_customer(ACCOUNT, f"cus_{n}") for n in range(8)])
    assert len(set(kept)) == 1
    assert await store.payments.customer(ACCOUNT) == kept[0]
    assert await store.payments.account_of(kept[0]) == ACCOUNT
    await store.payments.book(paid(account_id="", customer_id=kept[0]))
    assert await balance(store) == 1_000 * CENT
    await store.ledger.open_wallet("acc_2")
    with pytest.raises(InvalidRequest):
        await store.payments.keep_customer("acc_2", kept[0])
    assert await store.payments.forget_customer(kept[0]) == ACCOUNT
    assert await store.payments.customer(ACCOUNT) is None
    assert await store.payments.keep_customer(ACCOUNT, "cus_new") == "cus_new"
    await store.payments.book(paid(500, "pay_late", account_id="", customer_id=kept[0]))
    assert await balance(store) == 1_500 * CENT
    assert await store.payments.forget_customer("cus_unknown") is None


async def test_a_refund_takes_credit_when_it_is_ordered_and_cash_when_it_is_certain(store: Storage) -> None:
    await store.payments.book(paid(1_000))
    await spend(store, 300 * CENT)
    [offered] = await store.payments.refundable(ACCOUNT)
    assert offered.cents == 700
    [ordered] = await store.payments.order_refund(ACCOUNT, 500, reason="asked for", order_id="ord_1")
    assert await store.payments.order_refund(ACCOUNT, 500, reason="asked for", order_id="ord_1") == [ordered]
    assert await store.payments.open_orders() == [ordered]
    assert (ordered.payment_id, ordered.cents, ordered.refund_id) == ("pay_1", 500, "")
    assert await balance(store) == 200 * CENT
    assert (await totals(store))["refund_payable"] == 500 * CENT
    pending = paid(refunds=(refund(500, order="ord_1", state="pending"),))
    assert not (await store.payments.book(pending)).changed
    assert [each.refund_id for each in await store.payments.open_orders()] == ["re_1"]
    assert (await store.payments.book(paid(refunds=(refund(500, order="ord_1"),)))).changed
    assert await store.payments.open_orders() == []
    assert await totals(store) == {"customer_credit": 200 * CENT, "cash": -500 * CENT, "revenue": 300 * CENT}
    assert [each.cents for each in await store.payments.refundable(ACCOUNT)] == [200]


async def test_a_refund_that_failed_gives_the_credit_back(store: Storage) -> None:
    await store.payments.book(paid(1_000))
    await store.payments.order_refund(ACCOUNT, 400, reason="asked for", order_id="ord_1")
    await store.payments.book(paid(refunds=(refund(400, order="ord_1"),)))
    await store.payments.book(paid(refunds=(refund(400, order="ord_1", state="failed"),)))
    assert await totals(store) == {"customer_credit": 1_000 * CENT, "cash": -1_000 * CENT}
    await store.payments.order_refund(ACCOUNT, 400, reason="asked for", order_id="ord_2")
    await store.payments.abandon_order("ord_2", "pay_1")
    await store.payments.abandon_order("ord_2", "pay_1")
    assert await balance(store) == 1_000 * CENT
    for order, payment in (("ord_3", "pay_1"), ("ord_2", "pay_2")):
        with pytest.raises(NotFound):
            await store.payments.abandon_order(order, payment)


async def test_refunds_of_the_newest_payments_first(store: Storage, clock: StillClock) -> None:
    for number in (1, 2, 3):
        clock.forward(timedelta(hours=1))
        await store.payments.book(paid(100, f"pay_{number}"))
    ordered = await store.payments.order_refund(ACCOUNT, 150, reason="asked for", order_id="ord_1")
    assert [(each.payment_id, each.cents) for each in ordered] == [("pay_2", 50), ("pay_3", 100)]
    await store.payments.order_refund(ACCOUNT, 10, reason="asked for", order_id="ord_2", payment_id="pay_1")
    assert [(each.payment_id, each.cents) for each in await store.payments.refundable(ACCOUNT)] == [
        ("pay_2", 50),
        ("pay_1", 90),
    ]
    with pytest.raises(Conflict):
        await store.payments.order_refund(ACCOUNT, 91, reason="asked for", order_id="ord_3", payment_id="pay_1")
    with pytest.raises(Conflict):
        await store.payments.order_refund(ACCOUNT, 141, reason="asked for", order_id="ord_3")
    for cents, order in ((0, "ord_4"), (10, "")):
        with pytest.raises(InvalidRequest):
            await store.payments.order_refund(ACCOUNT, cents, reason="asked for", order_id=order)
    await store.ledger.open_wallet("acc_2")
    with pytest.raises(Conflict):
        await store.payments.order_refund("acc_2", 10, reason="asked for", order_id="ord_1")
    assert await balance(store) == 140 * CENT


async def test_what_was_given_or_is_held_is_not_given_back(store: Storage) -> None:
    await store.ledger.grant(
        ACCOUNT, 5_000 * CENT, reason="trial", idempotency_key="trial", terms=GrantTerms(priority=1)
    )
    await store.payments.book(paid(1_000))
    assert [each.cents for each in await store.payments.refundable(ACCOUNT)] == [1_000]
    await store.books.place(hold_request(5_500 * CENT))
    assert [each.cents for each in await store.payments.refundable(ACCOUNT)] == [500]
    with pytest.raises(Conflict):
        await store.payments.order_refund(ACCOUNT, 501, reason="asked for", order_id="ord_1")


async def test_refunds_at_once_never_give_back_more_than_there_is(store: Storage) -> None:
    await store.payments.book(paid(1_000))
    await spend(store, 100 * CENT)

    async def order(number: int) -> int:
        with suppress(Conflict):
            return sum(
                each.cents
                for each in await store.payments.order_refund(ACCOUNT, 150, reason="", order_id=f"ord_{number}")
            )
        return 0

    assert sum(await asyncio.gather(*[order(number) for number in range(32)])) == 900
    assert await balance(store) == 0


async def test_refunds_and_requests_never_spend_the_same_credit(store: Storage) -> None:
    await store.payments.book(paid(1_000))

    async def order(number: int) -> int:
        with suppress(Conflict):
            await store.payments.order_refund(ACCOUNT, 70, reason="", order_id=f"ord_{number}")
            return 70
        return 0

    async def ask() -> int:
        with suppress(InsufficientCredit):
            await spend(store, 70 * CENT)
            return 70
        return 0

    spent = sum(await asyncio.gather(*[order(number) for number in range(20)], *[ask() for _ in range(20)]))
    assert spent == 980
    assert await balance(store) == 20 * CENT


async def test_a_refund_made_elsewhere_takes_bought_credit_and_the_rest_is_debt(store: Storage) -> None:
    await store.ledger.grant(
        ACCOUNT, 50 * CENT, reason="trial", idempotency_key="trial", terms=GrantTerms(priority=200)
    )
    await store.payments.book(paid(100, "pay_1"))
    await store.payments.book(paid(20, "pay_2"))
    await spend(store, 70 * CENT)
    booked = await store.payments.book(paid(100, "pay_1", refunds=(refund(100),)))
    assert booked.standing == Standing(ACCOUNT, 50 * CENT, "debt")
    assert await balance(store) == 50 * CENT
    assert await totals(store) == {
        "customer_credit": 50 * CENT,
        "promotions": -50 * CENT,
        "cash": -20 * CENT,
        "customer_debt": -50 * CENT,
        "revenue": 70 * CENT,
    }
    with pytest.raises(InsufficientCredit, match="Buy credit"):
        await store.books.place(hold_request(1))
    booked = await store.payments.book(paid(80, "pay_3"))
    assert booked.standing == Standing(ACCOUNT, 0, "")
    assert await balance(store) == 80 * CENT
    await store.payments.book(paid(100, "pay_1", refunds=(refund(100, state="failed"),)))
    assert await balance(store) == 180 * CENT


async def test_a_debt_is_collected_when_credit_is_free_again(store: Storage) -> None:
    await store.payments.book(paid(100))
    running = hold_request(60 * CENT)
    await store.books.place(running)
    booked = await store.payments.book(paid(100, refunds=(refund(100),)))
    assert booked.standing == Standing(ACCOUNT, 60 * CENT, "debt")
    assert await store.payments.collect_debts() == 0
    assert await store.books.ship([resolved(running, None, 10 * CENT)]) == {}
    assert await store.payments.collect_debts() == 1
    assert await store.payments.standing(ACCOUNT) == Standing(ACCOUNT, 10 * CENT, "debt")
    assert await store.payments.collect_debts() == 0
    assert await store.payments.thaw(ACCOUNT, forgive=False) == Standing(ACCOUNT, 10 * CENT, "debt")
    assert await store.payments.thaw(ACCOUNT, forgive=True) == Standing(ACCOUNT, 0, "")
    assert (await totals(store))["house_loss"] == -10 * CENT


async def test_a_dispute_puts_credit_aside_until_it_is_won(store: Storage) -> None:
    await store.payments.book(paid(100))
    await spend(store, 30 * CENT)
    booked = await store.payments.book(paid(100, disputes=(dispute(100),)))
    assert booked.standing == Standing(ACCOUNT, 0, "dispute")
    assert await balance(store) == 0
    assert (await totals(store))["disputed"] == -30 * CENT
    with pytest.raises(InsufficientCredit, match="bank looks"):
        await store.books.place(hold_request(0))
    assert await store.books.lease(lease_wish()) is None
    with pytest.raises(Conflict):
        await store.payments.order_refund(ACCOUNT, 1, reason="", order_id="ord_1")
    booked = await store.payments.book(paid(100, disputes=(dispute(100, state="won", withdrawn=False),)))
    assert booked.standing == Standing(ACCOUNT, 0, "")
    assert await balance(store) == 70 * CENT
    await spend(store, 70 * CENT)


async def test_a_dispute_that_is_lost_leaves_what_was_spent_as_debt(store: Storage) -> None:
    await store.payments.book(paid(100))
    await spend(store, 30 * CENT)
    await store.payments.book(paid(100, disputes=(dispute(100),)))
    booked = await store.payments.book(paid(100, disputes=(dispute(100, state="lost"),)))
    assert booked.standing == Standing(ACCOUNT, 30 * CENT, "debt")
    assert await totals(store) == {"customer_debt": -30 * CENT, "revenue": 30 * CENT}
    await store.payments.book(paid(100, disputes=(dispute(100, state="lost"),), refunds=(refund(100),)))
    assert (await totals(store))["house_loss"] == -100 * CENT
    assert (await store.payments.standing(ACCOUNT)).debt == 30 * CENT


async def test_an_inquiry_freezes_nothing(store: Storage) -> None:
    booked = await store.payments.book(paid(100, disputes=(dispute(100, withdrawn=False),)))
    assert booked.standing == Standing(ACCOUNT, 0, "")
    assert await balance(store) == 100 * CENT


async def test_a_warning_of_fraud_freezes_until_an_operator_lifts_it(store: Storage) -> None:
    warned = paid(100, early_fraud_warning=True)
    assert (await store.payments.book(warned)).standing.frozen == "fraud_warning"
    with pytest.raises(InsufficientCredit, match="operator"):
        await store.books.place(hold_request(1))
    assert await store.payments.thaw(ACCOUNT, forgive=False) == Standing(ACCOUNT, 0, "")
    assert (await store.payments.book(warned)).standing.frozen == ""
    with pytest.raises(NotFound):
        await store.payments.thaw("acc_without_wallet", forgive=False)
    assert await store.payments.standing("acc_without_wallet") == Standing("acc_without_wallet", 0, "")


async def test_a_plan_gives_its_credit_for_a_month_out_of_its_fee(store: Storage, clock: StillClock) -> None:
    fee = paid(2_000, purpose=Purpose.SUBSCRIPTION, reference="sub_1")
    gives = Entitlement(1_500 * CENT, clock.now() + timedelta(days=30), priority=50)
    assert (await store.payments.book(fee, gives=gives)).granted == 1_500 * CENT
    assert not (await store.payments.book(fee, gives=gives)).changed
    assert await totals(store) == {"customer_credit": 1_500 * CENT, "revenue": 500 * CENT, "cash": -2_000 * CENT}
    [grant] = await store.ledger.grants(ACCOUNT)
    assert (grant.kind, grant.priority, grant.expires_at) == ("plan", 50, gives.expires_at)
    assert await store.payments.refundable(ACCOUNT) == []
    await spend(store, 300 * CENT)
    clock.forward(timedelta(days=31))
    assert await store.ledger.expire_grants(clock.now()) == 1
    booked = await store.payments.book(replace(fee, refunds=(refund(2_000),)), gives=gives)
    assert booked.standing == Standing(ACCOUNT, 300 * CENT, "debt")
    assert await totals(store) == {"revenue": 300 * CENT, "customer_debt": -300 * CENT}
    booked = await store.payments.book(replace(fee, refunds=(refund(2_000, state="failed"),)), gives=gives)
    assert (await totals(store))["breakage"] == 1_200 * CENT


async def test_a_plan_may_include_more_than_its_fee(store: Storage) -> None:
    fee = paid(1_000, purpose=Purpose.SUBSCRIPTION)
    await store.payments.book(fee, gives=Entitlement(1_200 * CENT))
    assert await totals(store) == {"customer_credit": 1_200 * CENT, "promotions": -200 * CENT, "cash": -1_000 * CENT}


async def test_a_paid_invoice_settles_what_is_owed_and_frees_the_line(store: Storage) -> None:
    bill = paid(700, purpose=Purpose.INVOICE, reference="inv_1")
    await store.payments.book(bill, gives=Entitlement(700 * CENT, priority=1_000))
    assert await totals(store) == {
        "customer_credit": 700 * CENT,
        "credit_line": -700 * CENT,
        "customer_receivable": 700 * CENT,
        "cash": -700 * CENT,
    }
    booked = await store.payments.book(replace(bill, disputes=(dispute(700, state="lost"),)))
    assert booked.standing == Standing(ACCOUNT, 700 * CENT, "debt")
    assert await balance(store) == 700 * CENT


async def test_holds_in_flight_end_as_they_would_while_an_account_is_frozen(store: Storage) -> None:
    """Fifty requests and a freeze: those admitted before it are served and charged, all others are refused."""
    await store.payments.book(paid(100))
    asked = [hold_request(CENT) for _ in range(50)]
    disputed = paid(100, disputes=(dispute(100),))
    answers = await asyncio.gather(
        *[store.books.place(each) for each in asked[:25]],
        store.payments.book(disputed),
        *[store.books.place(each) for each in asked[25:]],
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, GatewayError)]
    assert all(isinstance(each, InsufficientCredit) for each in refused)
    admitted = [
        each for each, answer in zip(asked, [*answers[:25], *answers[26:]], strict=True) if answer not in refused
    ]
    assert len(admitted) + len(refused) == 50
    assert await store.books.ship([resolved(each, None, CENT) for each in admitted]) == {}
    await store.payments.book(paid(100, disputes=(dispute(100, state="lost"),)))
    standing = await store.payments.standing(ACCOUNT)
    assert standing.debt == len(admitted) * CENT


async def test_leases_are_recalled_from_every_process_when_an_account_is_frozen(store: Storage) -> None:
    await store.payments.book(paid(100))
    leased = await store.books.lease(lease_wish(40 * CENT))
    assert leased is not None
    running = hold_request(5 * CENT)
    await store.payments.book(paid(100, disputes=(dispute(100),)))
    assert await store.books.recalled("here") == [leased.lease_id]
    assert await store.books.ship([resolved(running, leased.lease_id, 5 * CENT)]) == {}
    await store.books.give_back(leased.lease_id, leased.amount - 5 * CENT)
    booked = await store.payments.book(paid(100, disputes=(dispute(100, state="lost"),)))
    assert booked.standing == Standing(ACCOUNT, 5 * CENT, "debt")
