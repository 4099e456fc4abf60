"""A statement tells all that moved a balance, and adds up."""

from datetime import UTC, datetime, timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.ports.statements import CreditMoved, CreditSums
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request, settle

NOVEMBER, DECEMBER, JANUARY = [datetime(2026 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in (10, 11, 12)]


async def charge(store: Storage, price: int, at: datetime) -> str:
    asked = hold_request(price, at=at, expires_at=at + timedelta(hours=1))
    await store.books.place(asked)
    await settle(store.books, asked, price, at=at)
    return asked.request_id


async def month(store: Storage, start: datetime, end: datetime, *, most: int = 100) -> CreditSums:
    return await store.statements.credit(ACCOUNT, start=start, end=end, most=most)


@pytest.fixture
async def busy(funded: Storage, clock: StillClock) -> Storage:
    """10,000 granted in November and 700 spent, of which 200 come back in December, when 300 expire and more moves."""
    request_id = await charge(funded, 700, NOON)
    clock.moment = DECEMBER
    await funded.ledger.refund(Refund(ACCOUNT, f"settle:{request_id}", 200, "test", "r1"))
    terms = GrantTerms(priority=1_000, expires_at=DECEMBER + timedelta(days=1))
    await funded.ledger.grant(ACCOUNT, 300, reason="test", idempotency_key="short", terms=terms)
    clock.forward(timedelta(days=2))
    await funded.ledger.expire_grants(clock.now())
    await funded.ledger.refund(Refund(ACCOUNT, f"grant:{ACCOUNT}:first", 50, "test", "r2"))
    await charge(funded, 11, JANUARY - timedelta(microseconds=1))
    await charge(funded, 5, JANUARY)
    await funded.ledger.open_wallet("acc_2")
    await funded.ledger.grant("acc_2", 77, reason="test", idempotency_key="other")
    return funded


async def test_each_movement_is_in_the_month_it_happened_in(busy: Storage, clock: StillClock) -> None:
    first, second = await month(busy, NOVEMBER, DECEMBER), await month(busy, DECEMBER, JANUARY)
    assert first == CreditSums(0, 10_000, 0, 0, 0, 700, 9_300, [CreditMoved(NOON, "grant", 10_000, None)])
    figures = (9_300, 300, 200, 50, 300, 11, 9_439)
    assert second == CreditSums(*figures, second.moved)
    [refund] = [moved for moved in second.moved if moved.kind == "refund"]
    assert refund.request_id is not None
    assert sorted((moved.at, moved.kind, moved.amount) for moved in second.moved) == [
        (DECEMBER, "grant", 300),
        (DECEMBER, "refund", 200),
        (clock.now(), "expired", -300),
        (clock.now(), "taken_back", -50),
    ]
    third = await month(busy, JANUARY, JANUARY.replace(month=2))
    assert (third.opening, third.charged, third.closing) == (9_439, 5, 9_434)
    assert third.closing == (await busy.ledger.wallet(ACCOUNT)).balance


async def test_the_sums_are_of_all_movements_however_few_are_listed(busy: Storage) -> None:
    whole = await month(busy, DECEMBER, JANUARY)
    part = await month(busy, DECEMBER, JANUARY, most=2)
    assert part == CreditSums(9_300, 300, 200, 50, 300, 11, 9_439, whole.moved[:2])


async def test_a_statement_stays_when_single_rows_are_dropped(busy: Storage) -> None:
    before = await month(busy, NOVEMBER, DECEMBER)
    assert await busy.reports.drop_old(JANUARY, 1) == 1
    assert await busy.statements.lines(ACCOUNT, start=NOVEMBER, end=DECEMBER) == []
    assert await month(busy, NOVEMBER, DECEMBER) == before


async def test_there_is_no_statement_without_a_wallet(store: Storage) -> None:
    with pytest.raises(NotFound):
        await month(store, NOVEMBER, DECEMBER)
