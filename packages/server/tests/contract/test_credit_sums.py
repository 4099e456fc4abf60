"""A statement tells all that moved a balance, and adds up."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.tables import CREDIT_MOVING
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.ports.payment_books import Entitlement
from monkey_coder_server.ports.statements import GAINED, LOST, CreditMoved, CreditSums
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request, resolved, settle
from packages.server.tests.contract.paying import CENT, dispute, paid, refund

NOVEMBER, DECEMBER, JANUARY = [datetime(2026 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in (10, 11, 12)]

_MOVING = Query(
    text(
        "SELECT DISTINCT transactions.kind FROM transactions JOIN entries USING (transaction_id) "
        "WHERE entries.kind = 'customer_credit'"
    )
)


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


async def owing(store: Storage, seen: str = "pay_owing") -> None:
    """A payment of 1 USD is given back at the bank while all credit is held, and the request ends at 10 n$."""
    await store.payments.book(paid(100, seen))
    running = hold_request((await store.books.wallet(ACCOUNT)).available)
    await store.books.place(running)
    booked = await store.payments.book(paid(100, seen, refunds=(refund(100, f"re_{seen}"),)))
    assert booked.standing.debt == 100 * CENT
    assert await store.books.ship([resolved(running, None, 10)]) == {}


@pytest.fixture
async def paying(store: Storage, clock: StillClock) -> Storage:
    """An account that lived through all that moves credit; from December on, its plan's credit is gone."""
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 500 * CENT, reason="test", idempotency_key="first")
    await store.payments.book(paid(1_000))
    fee, ends = paid(2_000, "pay_fee", purpose=Purpose.SUBSCRIPTION), clock.now() + timedelta(days=10)
    await store.payments.book(fee, gives=Entitlement(1_500 * CENT, ends, priority=1))
    await store.credit_lines.set(ACCOUNT, 100 * CENT, NOON)
    await store.credit_lines.set(ACCOUNT, 40 * CENT, NOON)
    bill = paid(70, "pay_bill", purpose=Purpose.INVOICE)
    await store.payments.book(bill, gives=Entitlement(70 * CENT, priority=1_000))
    spent = await charge(store, 700, NOON)
    await store.ledger.refund(Refund(ACCOUNT, f"settle:{spent}", 200, "test", "r1"))
    for name in ("refused", "sent"):
        await store.payments.order_refund(ACCOUNT, 150, reason="", order_id=name)
    await store.payments.abandon_order("refused", "pay_1")
    await store.payments.book(paid(300, "pay_2"))
    await store.payments.book(paid(300, "pay_2", disputes=(dispute(300),)))
    await store.payments.book(paid(300, "pay_2", disputes=(dispute(300, state="won", withdrawn=False),)))
    await owing(store)
    assert await store.payments.collect_debts() == 1
    clock.forward(timedelta(days=11))
    assert await store.ledger.expire_grants(clock.now()) == 1
    return store


async def test_a_statement_tells_every_kind_of_movement_and_closes_at_the_balance(paying: Storage) -> None:
    kinds = {str(kind) for (kind,) in await paying.readers.read(lambda reading: reading.rows(_MOVING, {}))}
    assert kinds == {*CREDIT_MOVING, "settle"}
    first, second = await month(paying, NOVEMBER, DECEMBER), await month(paying, DECEMBER, JANUARY)
    assert {name: getattr(first, name) for name in (*GAINED, *LOST)} == {
        "granted": 600 * CENT,
        "purchased": 1_400 * CENT,
        "included": 1_500 * CENT,
        "renewed": 70 * CENT,
        "refunded": 200,
        "restored": 450 * CENT,
        "taken_back": 60 * CENT,
        "paid_back": 300 * CENT,
        "disputed": 300 * CENT,
        "debt_paid": 100 * CENT,
        "expired": 0,
    }
    assert (first.opening, first.charged, first.closing) == (0, 710, 3_260 * CENT - 510)
    assert sum(moved.amount for moved in first.moved) == first.closing + first.charged
    assert {moved.kind for moved in [*first.moved, *second.moved]} == {
        *("grant", "purchase", "plan", "credit_line", "refund", "restored"),
        *("taken_back", "paid_back", "disputed", "debt_paid", "expired"),
    }
    assert (second.opening, second.expired) == (first.closing, -second.moved[0].amount)
    assert second.closing == first.closing - second.expired == (await paying.ledger.wallet(ACCOUNT)).balance
    assert (await paying.ledger.verify()).sound


async def test_a_debt_that_is_taken_when_its_payment_is_seen_again_is_told_as_one(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await owing(store)
    await store.payments.book(paid(100, "pay_owing", refunds=(refund(100, "re_pay_owing"),), early_fraud_warning=True))
    told = await month(store, NOVEMBER, DECEMBER)
    assert (told.opening, told.purchased, told.debt_paid, told.charged) == (0, 100 * CENT, 100 * CENT - 10, 10)
    assert told.closing == 0
