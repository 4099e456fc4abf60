"""Redeeming: once an account, never more often than allowed, in one transaction with the grant."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound, Unavailable
from monkey_coder_server.domain.plans import PlanSpan, put_on
from monkey_coder_server.domain.promotions import Promotion
from monkey_coder_server.ports.promotions import RedeemWish, Redemption
from packages.server.tests.contract.booking import ACCOUNT, NOON, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.paying import CENT, paid
from packages.server.tests.contract.test_organizations import person

DAY = timedelta(days=1)
SPRING = Promotion(
    promotion_id="promo_1", code="SPRING-26", campaign="Spring", amount=3_000, lasts_days=30, starts_at=NOON
)
CODE = "SPRING26"


async def made(store: Storage, promotion: Promotion = SPRING) -> None:
    await store.promotions.add(promotion, by="operator", at=NOON)


async def redeem(store: Storage, account_id: str = ACCOUNT, code: str = CODE, hours: int = 0) -> Redemption:
    return await store.promotions.redeem(RedeemWish(code, account_id, "user_1", NOON + timedelta(hours=hours)))


async def insist(store: Storage, account_id: str) -> Redemption | Conflict:
    """What comes of it in the end: a database that is too slow is asked again."""
    while True:
        try:
            return await redeem(store, account_id)
        except Unavailable:
            continue
        except Conflict as refused:
            return refused


async def test_a_code_gives_credit_that_ends(funded: Storage) -> None:
    await made(funded)
    given = await redeem(funded)
    assert given == Redemption("promo_1", "Spring", 3_000, 3_000, NOON, NOON + 30 * DAY)
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 13_000
    assert await funded.promotions.of_account(ACCOUNT) == [given]
    assert [(each.kind, each.amount, each.expires_at) for each in await funded.ledger.grants(ACCOUNT)] == [
        ("promo", 3_000, NOON + 30 * DAY),
        ("promo", 10_000, None),
    ]
    await funded.ledger.expire_grants(NOON + 30 * DAY)
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 10_000
    assert [each.left for each in await funded.promotions.of_account(ACCOUNT)] == [0]
    assert (await funded.ledger.verify()).sound


async def test_it_is_spent_before_credit_that_lasts_longer_and_told_in_the_statement(funded: Storage) -> None:
    await made(funded)
    await redeem(funded)
    request = hold_request(1_000)
    await funded.books.place(request)
    await settle(funded.books, request, 800)
    assert [each.left for each in await funded.promotions.of_account(ACCOUNT)] == [2_200]
    midnight = NOON.replace(hour=0)
    credit = await funded.statements.credit(ACCOUNT, start=midnight, end=midnight + DAY, most=9)
    assert sorted((each.kind, each.amount) for each in credit.moved) == [("grant", 10_000), ("promotion", 3_000)]
    assert (credit.granted, credit.purchased, credit.closing) == (13_000, 0, 12_200)


async def test_none_of_it_is_ever_paid_back_as_cash(funded: Storage) -> None:
    await made(funded, replace(SPRING, amount=500 * CENT))
    await redeem(funded)
    assert await funded.payments.refundable(ACCOUNT) == []
    await funded.payments.book(paid(300))
    request = hold_request(100 * CENT)
    await funded.books.place(request)
    await settle(funded.books, request, 100 * CENT)
    assert [each.cents for each in await funded.payments.refundable(ACCOUNT)] == [300]
    with pytest.raises(Conflict, match=r"Only 3\.00 USD"):
        await funded.payments.order_refund(ACCOUNT, 301, reason="all of it", order_id="order_1")
    totals = (await funded.ledger.verify()).totals
    assert (totals["promotions"], totals["cash"]) == (-500 * CENT - 10_000, -300 * CENT)


async def test_an_account_redeems_a_promotion_once(funded: Storage) -> None:
    await made(funded)
    await redeem(funded)
    with pytest.raises(Conflict, match="before"):
        await redeem(funded, hours=1)
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 13_000
    assert [each.redeemed for each in await funded.promotions.list()] == [1]


async def test_what_is_no_code_gives_nothing(funded: Storage) -> None:
    await made(funded, replace(SPRING, starts_at=NOON + DAY))
    for code in ("SPRING27", CODE):
        with pytest.raises(NotFound, match="No promotion"):
            await redeem(funded, code=code)
    assert (await funded.ledger.wallet(ACCOUNT)).balance == 10_000
    assert (await redeem(funded, hours=24)).amount == 3_000


async def test_an_account_without_a_wallet_gets_nothing(store: Storage) -> None:
    await made(store)
    with pytest.raises(NotFound):
        await redeem(store)
    assert [each.redeemed for each in await store.promotions.list()] == [0]


async def test_new_accounts_and_plans_are_looked_up_where_they_are_kept(store: Storage) -> None:
    await store.accounts.create(replace(person("new"), created_at=NOON))
    await store.ledger.open_wallet("acc_new")
    await made(store, replace(SPRING, new_within_days=7))
    await made(store, replace(SPRING, promotion_id="promo_2", code="FORPRO", plans=("pro",)))
    with pytest.raises(Forbidden, match="plans: pro"):
        await redeem(store, "acc_new", "FORPRO")
    span = PlanSpan(plan_id="pro", starts_at=NOON, source="test")
    await store.account_plans.change("acc_new", partial(put_on, span=span))
    await redeem(store, "acc_new", "FORPRO")
    with pytest.raises(Forbidden, match="7 days"):
        await redeem(store, "acc_new", hours=24 * 7 + 1)
    await redeem(store, "acc_new", hours=24 * 7)
    listed = await store.promotions.of_account("acc_new")
    assert [each.promotion_id for each in listed] == ["promo_1", "promo_2"]


async def test_one_that_was_ended_gives_nothing_more_and_keeps_what_it_gave(funded: Storage) -> None:
    await made(funded)
    await redeem(funded)
    ended = await funded.promotions.end("promo_1", NOON + DAY)
    assert (ended.promotion.ends_at, ended.redeemed) == (NOON + DAY, 1)
    assert await funded.promotions.list() == [ended]
    await funded.ledger.open_wallet("acc_2")
    with pytest.raises(Conflict, match="over"):
        await redeem(funded, "acc_2", hours=24)
    await redeem(funded, "acc_2", hours=23)
    with pytest.raises(Conflict, match="already"):
        await funded.promotions.end("promo_1", NOON + DAY)
    with pytest.raises(NotFound, match="promo_7"):
        await funded.promotions.end("promo_7", NOON)
    assert (await funded.ledger.verify()).sound


async def test_one_that_had_not_begun_never_begins(funded: Storage) -> None:
    await made(funded, replace(SPRING, starts_at=NOON + DAY))
    await funded.promotions.end("promo_1", NOON)
    with pytest.raises(Conflict, match="already"):
        await funded.promotions.end("promo_1", NOON)
    with pytest.raises(Conflict, match="over"):
        await redeem(funded, hours=25)


async def test_a_code_is_one_promotions_for_good(store: Storage) -> None:
    await made(store)
    await store.promotions.end("promo_1", NOON + DAY)
    with pytest.raises(Conflict, match="code is used once"):
        await made(store, replace(SPRING, promotion_id="promo_2", code="spring-2-6"))
    assert [each.promotion.promotion_id for each in await store.promotions.list()] == ["promo_1"]


async def test_of_a_thousand_at_several_gateways_as_many_get_it_as_may(open_store: OpenStore) -> None:
    many, most = 500, 60
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(open_store()) for _ in range(3)]
        accounts = [f"acc_{number:03d}" for number in range(many)]
        await asyncio.gather(*(stores[0].ledger.open_wallet(account) for account in accounts))
        await made(stores[0], replace(SPRING, most=most))
        tries = [insist(stores[turn % 3], account) for turn, account in enumerate(accounts * 2)]
        ends = await asyncio.gather(*tries)
        assert 0 < sum(isinstance(end, Redemption) for end in ends) <= most
        assert [each.redeemed for each in await stores[1].promotions.list()] == [most]
        wallets = await asyncio.gather(*(stores[2].ledger.wallet(account) for account in accounts))
        assert sorted({wallet.balance for wallet in wallets}) == [0, 3_000]
        assert sum(wallet.balance for wallet in wallets) == most * 3_000
        assert (await stores[0].ledger.verify()).sound


async def test_one_account_that_asks_a_thousand_times_at_once_gets_it_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        await one.ledger.open_wallet(ACCOUNT)
        await made(one)
        ends = await asyncio.gather(*(insist((one, other)[turn % 2], ACCOUNT) for turn in range(1_000)))
        assert sum(isinstance(end, Redemption) for end in ends) <= 1
        assert [each.redeemed for each in await one.promotions.list()] == [1]
        assert (await other.ledger.wallet(ACCOUNT)).balance == 3_000
        assert (await other.ledger.verify()).sound
