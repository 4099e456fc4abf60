"""The books of what customers pay, in SQL: see `ports.payment_books`."""

import logging
from collections.abc import Sequence
from functools import partial

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import (
    freezing,
    holds,
    payment_movements,
    payment_refunds,
    payment_rows,
)
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.payment_tables import payment_customers, payments
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.payment_books import CURRENCY
from monkey_coder_server.domain.payment_sights import merge
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payment_books import BookedPayment, Entitlement, Refundable, RefundOrder, Standing

logger = logging.getLogger(__name__)
COLLECTED_AT_ONCE = 20
_CUSTOMER = Query(
    select(payment_customers.c.customer_id).where(
        payment_customers.c.account_id == bindparam("account"), payment_customers.c.forgotten_at.is_(None)
    )
)
_ACCOUNT = Query(select(payment_customers.c.account_id).where(payment_customers.c.customer_id == bindparam("customer")))
_KEEP = Query(insert_or_not(payment_customers).on_conflict_do_nothing())
_FORGET = Query(
    update(payment_customers)
    .where(payment_customers.c.customer_id == bindparam("customer"), payment_customers.c.forgotten_at.is_(None))
    .values(forgotten_at=bindparam("now"))
)
_OWING = Query(
    select(payments.c.account_id)
    .join(wallets, wallets.c.account_id == payments.c.account_id)
    .where(
        payments.c.debt > literal_column("0"),
        payments.c.account_id > bindparam("after"),
        wallets.c.balance > wallets.c.held,
    )
    .distinct()
    .order_by(payments.c.account_id)
    .limit(bindparam("most"))
)


class SqlPaymentBooks:
    """`ports.payment_books.PaymentBooks`. Every change is one operation of the writer, durable on return."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def customer(self, account_id: str) -> str | None:
        """The account's customer at the processor."""
        return await self._readers.read_of(account_id, lambda transaction: _customer(transaction, account_id))

    async def keep_customer(self, account_id: str, customer_id: str) -> str:
        """Note the account's customer; of two the first stands and is returned. Raises `NotFound` without a wallet."""
        return await self._writer.perform(partial(_keep_customer, account_id, customer_id, self._now()))

    async def forget_customer(self, customer_id: str) -> str | None:
        """It was deleted at the processor: the next purchase makes another. The account's id."""
        return await self._writer.perform(partial(_forget_customer, customer_id, self._now()))

    async def account_of(self, customer_id: str) -> str | None:
        """Whose customer that is, or was."""
        return await self._readers.read(lambda transaction: _account_of(transaction, customer_id))

    async def book(self, seen: PaymentSeen, *, gives: Entitlement | None = None) -> BookedPayment:
        """Bring the books to what was seen of a payment. Raises `NotFound`, `InvalidRequest`."""
        booked = await self._writer.perform(partial(_book, seen, gives, self._now()))
        if booked.kept_aside:
            logger.error("a payment of the account %s is kept aside: %s", booked.account_id, booked.kept_aside)
        return booked

    async def refundable(self, account_id: str) -> Sequence[Refundable]:
        """What can be given back now, the newest payment first. Raises `NotFound`."""
        return await self._readers.read_of(account_id, partial(payment_refunds.refundable, account_id))

    async def order_refund(
        self, account_id: str, cents: int, *, reason: str, order_id: str, payment_id: str | None = None
    ) -> Sequence[RefundOrder]:
        """Take credit for a refund, once per `order_id`. Raises `Conflict`, `InvalidRequest`, `NotFound`."""
        wanted = payment_refunds.Order(account_id, cents, reason, order_id, payment_id)
        return await self._writer.perform(partial(payment_refunds.order, wanted, self._now()))

    async def open_orders(self) -> Sequence[RefundOrder]:
        """Refunds that are not certain at the processor, oldest first."""
        return await self._readers.read(payment_refunds.open_orders)

    async def abandon_order(self, order_id: str, payment_id: str) -> None:
        """The processor refused it: the credit comes back. Raises `NotFound`."""
        await self._writer.perform(partial(payment_refunds.abandon, order_id, payment_id, self._now()))

    async def standing(self, account_id: str) -> Standing:
        """Debt and freeze now."""
        return await self._readers.read_of(account_id, lambda transaction: freezing.standing(transaction, account_id))

    async def thaw(self, account_id: str, *, forgive: bool) -> Standing:
        """Lift the account's fraud warnings, and with `forgive` let the house bear its debts. Raises `NotFound`."""
        return await self._writer.perform(partial(_thaw, account_id, forgive, self._now()))

    async def collect_debts(self) -> int:
        """Take debts from credit that is free again; of how many accounts."""
        collected, after = 0, ""
        while True:
            moved, after = await self._writer.perform(partial(_collect, after, self._now()))
            collected += moved
            if not after:
                return collected

    def _now(self) -> int:
        return to_micros(self._clock.now())


def _customer(transaction: Transaction, account_id: str) -> str | None:
    row = transaction.row(_CUSTOMER, {"account": account_id})
    return None if row is None else str(row[0])


def _account_of(transaction: Transaction, customer_id: str) -> str | None:
    row = transaction.row(_ACCOUNT, {"customer": customer_id})
    return None if row is None else str(row[0])


def _keep_customer(account_id: str, customer_id: str, now: int, transaction: Transaction) -> str:
    holds.lock_wallet(transaction, account_id)
    kept = _customer(transaction, account_id)
    if kept is not None:
        return kept
    row = {"customer_id": customer_id, "account_id": account_id, "at": now, "forgotten_at": None}
    if not transaction.change(_KEEP, row):
        raise InvalidRequest("This customer is another account's, or was forgotten.")
    return customer_id


def _forget_customer(customer_id: str, now: int, transaction: Transaction) -> str | None:
    transaction.change(_FORGET, {"customer": customer_id, "now": now})
    return _account_of(transaction, customer_id)


def _book(seen: PaymentSeen, gives: Entitlement | None, now: int, transaction: Transaction) -> BookedPayment:
    if not 0 <= seen.tax_cents <= seen.cents:
        raise InvalidRequest("A payment's tax is from zero to what was paid.")
    known = payment_rows.find(transaction, seen.payment_id)
    if known is not None and merge(known.seen, seen) == known.seen and (gives is None or known.booked.given):
        standing = freezing.standing(transaction, known.seen.account_id)
        return _booked(seen, payment_movements.Brought(granted=0, changed=False, standing=standing))
    account_id = known.seen.account_id if known else seen.account_id or _account_of(transaction, seen.customer_id)
    if not account_id:
        raise NotFound("This payment belongs to no account that is known here.")
    holds.lock_wallet(transaction, account_id)
    kept = payment_rows.find(transaction, seen.payment_id) or payment_rows.new(seen, account_id, now)
    brought = payment_movements.bring(transaction, kept, merge(kept.seen, seen), now, gives=gives)
    return _booked(seen, brought)


def _booked(seen: PaymentSeen, brought: payment_movements.Brought) -> BookedPayment:
    foreign = seen.currency != CURRENCY and seen.state is PaymentState.SUCCEEDED
    account_id = brought.standing.account_id
    return BookedPayment(
        account_id, brought.granted, brought.changed, brought.standing, kept_aside="currency" if foreign else ""
    )


def _thaw(account_id: str, forgive: bool, now: int, transaction: Transaction) -> Standing:  # noqa: FBT001 - bound by name
    holds.lock_wallet(transaction, account_id)
    payment_movements.lift(transaction, account_id, now, forgive=forgive)
    return freezing.bring(transaction, account_id, now)


def _collect(after: str, now: int, transaction: Transaction) -> tuple[int, str]:
    """Of some accounts behind one; of how many anything was taken, and where to go on."""
    owing = [row[0] for row in transaction.rows(_OWING, {"after": after, "most": COLLECTED_AT_ONCE})]
    moved = 0
    for account_id in owing:
        holds.lock_wallet(transaction, account_id)
        if payment_movements.collect(transaction, account_id, now):
            freezing.bring(transaction, account_id, now)
            moved += 1
    return moved, owing[-1] if len(owing) == COLLECTED_AT_ONCE else ""
