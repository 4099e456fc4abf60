"""Business in sums equals what every single request and entry says, and nothing is unexplained."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.business import booked, unexplained
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.plans import PlanSpan, put_on
from monkey_coder_server.ports.business import By
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.ports.usage_reports import UsageLine, Wanted
from packages.server.tests.contract.booking import ACCOUNT, NOON, fail, hold_request, settle
from packages.server.tests.contract.test_factors import ADA

DAY = timedelta(days=1)
FIRST, LAST = (NOON - 3 * DAY).date(), NOON.date()
EVERYTHING = 10**6
NAMES: dict[By, Callable[[UsageLine], str]] = {
    By.PROVIDER: lambda line: line.provider,
    By.MODEL: lambda line: f"{line.provider}/{line.model}",
    By.CUSTOMER: lambda line: line.account_id,
    By.DAY: lambda line: line.at.date().isoformat(),
}


async def traffic(store: Storage, seed: int = 7) -> None:
    """Requests of several days: served, some beyond their hold, and failed at a cost."""
    random = Random(seed)
    for number in range(24):
        at = NOON - timedelta(minutes=random.randint(0, 4_000))
        asked = hold_request(300, at=at, expires_at=at + 9 * DAY)
        await store.books.place(asked)
        if number % 5 == 0:
            await fail(store.books, asked, at=at, provider="xai", model="grok", provider_cost=random.randint(1, 9))
            continue
        provider, model = random.choice((("openai", "gpt-5"), ("groq", "llama")))
        price = random.randint(1, 400)
        await settle(
            store.books, asked, price, at=at, provider=provider, model=model, provider_cost=random.randint(1, 300)
        )


async def rows(store: Storage, first: date, last: date) -> list[UsageLine]:
    start = NOON.replace(year=first.year, month=first.month, day=first.day, hour=0)
    end = NOON.replace(year=last.year, month=last.month, day=last.day, hour=0) + DAY
    return [line async for page in store.reports.lines(None, Wanted(start, end)) for line in page]


@pytest.mark.parametrize("by", NAMES)
@pytest.mark.parametrize(("first", "last"), [(FIRST, LAST), (FIRST + DAY, LAST - DAY)])
async def test_each_line_is_the_sum_of_its_requests(funded: Storage, by: By, first: date, last: date) -> None:
    await traffic(funded)
    lines = await funded.business.takings(first, last, by, most=EVERYTHING)
    expected: dict[str, Counter[str]] = {}
    for row in await rows(funded, first, last):
        sums = expected.setdefault(NAMES[by](row), Counter())
        sums.update(requests=1, failed=int(row.status != "served"), revenue=row.price, provider_cost=row.provider_cost)
    assert expected
    assert {each.name for each in lines} == set(expected)
    for each in lines:
        found = Counter(
            requests=each.requests, failed=each.failed, revenue=each.revenue, provider_cost=each.provider_cost
        )
        assert +found == +expected[each.name]


async def test_nothing_is_unexplained_and_losses_are_told_by_cause(funded: Storage) -> None:
    await traffic(funded)
    total, books = await funded.business.total(FIRST, LAST), booked(await funded.business.moved(FIRST, LAST))
    assert unexplained(total, books) == (0, 0)
    every = await rows(funded, FIRST, LAST)
    assert total.revenue == sum(row.price for row in every) > 0
    assert books.losses.failed == sum(row.provider_cost for row in every if row.status != "served") > 0
    assert books.losses.beyond_hold == books.accounts["revenue"] - total.revenue > 0
    assert sum(books.accounts.values()) == 0


async def test_a_row_the_ledger_does_not_know_is_noticed(funded: Storage) -> None:
    from sqlalchemy import text

    from monkey_coder_server.adapters.storage.transaction import Query, change

    await traffic(funded)
    forged = Query(text("UPDATE usage_daily SET price = price + 1 WHERE model = 'llama'"))
    changed = await funded.writer.perform(lambda transaction: change(forged, {}, transaction))
    total, books = await funded.business.total(FIRST, LAST), booked(await funded.business.moved(FIRST, LAST))
    assert unexplained(total, books) == (-changed, 0)


async def test_a_plans_line_is_of_the_accounts_that_were_on_it_as_the_day_began(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.ledger.open_wallet(ADA.account_id)
    await store.ledger.grant(ADA.account_id, 10_000, reason="test", idempotency_key="first")
    span = PlanSpan(plan_id="team", starts_at=NOON - DAY, source="operator")
    await store.account_plans.change(ADA.account_id, lambda history: put_on(history, span))
    for days, price in ((2, 10), (1, 20), (0, 40)):
        at = NOON - days * DAY + timedelta(hours=1)
        asked = hold_request(300, account_id=ADA.account_id, at=at, expires_at=at + 9 * DAY)
        await store.books.place(asked)
        await settle(store.books, asked, price, at=at, provider_cost=1)
    lines = await store.business.takings(FIRST, LAST, By.PLAN, most=EVERYTHING)
    assert [(each.name, each.revenue) for each in lines] == [("team", 40), ("prepaid", 30)]


async def test_the_largest_lines_come_first_and_no_more_than_wanted(funded: Storage) -> None:
    await traffic(funded)
    every = await funded.business.takings(FIRST, LAST, By.MODEL, most=EVERYTHING)
    assert [each.revenue for each in every] == sorted((each.revenue for each in every), reverse=True)
    assert await funded.business.takings(FIRST, LAST, By.MODEL, most=1) == every[:1]


async def test_promotions_breakage_and_refunds_are_told(funded: Storage) -> None:
    terms = GrantTerms(GrantKind.PROMO, 1, NOON + DAY)
    await funded.ledger.grant(ACCOUNT, 500, reason="a code", idempotency_key="promo", terms=terms)
    paid = GrantTerms(GrantKind.PURCHASE)
    await funded.ledger.grant(ACCOUNT, 900, reason="paid", idempotency_key="paid", terms=paid)
    asked = hold_request(300)
    await funded.books.place(asked)
    await settle(funded.books, asked, 120, at=NOON, provider_cost=50)
    undone = Refund(ACCOUNT, f"settle:{asked.request_id}", 20, "a goodwill", "refund_1")
    await funded.ledger.refund(undone)
    books = booked(await funded.business.moved(LAST, LAST))
    assert (books.promotions_given, books.refunded) == (10_500, 20)
    given = await funded.business.promotional(LAST, LAST)
    assert (given.given, given.given - given.left) == (10_500, 120)
    await funded.ledger.expire_grants(NOON + 2 * DAY)
    assert booked(await funded.business.moved(LAST, LAST + 2 * DAY)).breakage == 380


async def test_what_caches_spared_is_told(funded: Storage) -> None:
    for saving in (40, 2):
        asked = hold_request(300)
        await funded.books.place(asked)
        await settle(funded.books, asked, at=NOON, cache_saving=saving)
    [line] = await funded.business.takings(LAST, LAST, By.DAY, most=EVERYTHING)
    total = await funded.business.total(LAST, LAST)
    assert (line.name, line.cache_saving, total.cache_saving) == (LAST.isoformat(), 42, 42)


async def test_a_time_without_business_is_empty(store: Storage) -> None:
    total = await store.business.total(FIRST, LAST)
    assert (total.requests, total.revenue, await store.business.estimated_cost(FIRST, LAST)) == (0, 0, 0)
    assert await store.business.takings(FIRST, LAST, By.DAY, most=5) == []
