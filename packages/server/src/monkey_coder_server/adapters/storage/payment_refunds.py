"""Refunds we order: credit is taken when one is ordered, and comes back when the processor will not have it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, literal_column, select

from monkey_coder_server.adapters.storage import grant_rows, holds, payment_movements, payment_rows
from monkey_coder_server.adapters.storage.moments import from_micros
from monkey_coder_server.adapters.storage.payment_rows import Kept
from monkey_coder_server.adapters.storage.payment_tables import payment_refunds
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound
from monkey_coder_server.domain.money import NANO_PER_CENT, usd
from monkey_coder_server.domain.payment_books import PURCHASES, refundable_cents
from monkey_coder_server.domain.payments import WHY_FROZEN, Freeze, RefundSeen, RefundState
from monkey_coder_server.ports.payment_books import Refundable, RefundOrder
from monkey_coder_server.ports.record import Record

_COLUMNS = select(
    *[
        payment_refunds.c[name]
        for name in ("order_id", "account_id", "payment_id", "cents", "reason", "refund_id", "at")
    ]
)
_OPEN = Query(
    _COLUMNS.where(
        payment_refunds.c.state == literal_column("'pending'"), payment_refunds.c.order_id != literal_column("''")
    ).order_by(payment_refunds.c.at, payment_refunds.c.order_id, payment_refunds.c.payment_id)
)
_OF_ORDER = Query(
    _COLUMNS.where(payment_refunds.c.order_id == bindparam("order")).order_by(payment_refunds.c.payment_id)
)


class Order(Record, frozen=True):
    """Give back so many cents of an account's payments, of one or of the newest."""

    account_id: str
    cents: int
    reason: str
    order_id: str
    payment_id: str | None = None


def refundable(account_id: str, transaction: Transaction) -> Sequence[Refundable]:
    """What can be given back of each payment now, the newest first; together not more than what is free."""
    free = holds.read_wallet(transaction, account_id).available
    found = []
    for kept in payment_rows.of_account(transaction, account_id):
        if kept.seen.purpose in PURCHASES and kept.grant_id is not None and kept.paid_at is not None:
            left = min(grant_rows.remaining(transaction, kept.grant_id), free)
            cents = refundable_cents(kept.seen, kept.booked, left)
            if cents:
                found.append(Refundable(kept.seen.payment_id, cents, from_micros(kept.paid_at)))
    return found


def order(wanted: Order, now: int, transaction: Transaction) -> Sequence[RefundOrder]:
    """Take the credit of a refund, once. Raises `InvalidRequest`, `NotFound`, `Conflict`."""
    if wanted.cents <= 0 or not wanted.order_id:
        raise InvalidRequest("A refund has a name and is of one cent or more.")
    locked = holds.lock(transaction, wanted.account_id)
    ordered = [_told(row) for row in transaction.rows(_OF_ORDER, {"order": wanted.order_id})]
    if ordered:
        if any(each.account_id != wanted.account_id for each in ordered):
            raise Conflict("A refund of this name was ordered before, of another account.")
        return ordered
    if locked.frozen:
        message = f"Nothing is given back of a frozen account. {WHY_FROZEN[Freeze(locked.frozen)]}"
        raise Conflict(message)
    missing = wanted.cents
    for each in refundable(wanted.account_id, transaction):
        if wanted.payment_id in {None, each.payment_id} and missing:
            missing -= _take(transaction, wanted, each, missing, now)
    if missing:
        message = (
            f"Only {usd((wanted.cents - missing) * NANO_PER_CENT)} USD can be given back: the rest is spent, held, "
            "given back already, or was not bought."
        )
        raise Conflict(message)
    return [_told(row) for row in transaction.rows(_OF_ORDER, {"order": wanted.order_id})]


def open_orders(transaction: Transaction) -> Sequence[RefundOrder]:
    """Orders that are not certain at the processor, oldest first."""
    return [_told(row) for row in transaction.rows(_OPEN, {})]


def abandon(order_id: str, payment_id: str, now: int, transaction: Transaction) -> None:
    """Give the credit of an order back; nothing when it is known to have ended. Raises `NotFound`."""
    account_id = payment_rows.read(transaction, payment_id).seen.account_id
    holds.lock_wallet(transaction, account_id)
    kept = payment_rows.read(transaction, payment_id)
    if not any(each.order == order_id for each in kept.seen.refunds):
        raise NotFound("There is no refund of this name.")
    failed = tuple([_failed(each) if each.order == order_id else each for each in kept.seen.refunds])
    payment_movements.bring(transaction, kept, replace(kept.seen, refunds=failed), now)


def _failed(refund: RefundSeen) -> RefundSeen:
    return replace(refund, state=RefundState.FAILED) if refund.state is RefundState.PENDING else refund


def _take(transaction: Transaction, wanted: Order, each: Refundable, missing: int, now: int) -> int:
    """Order a part of one payment; how many cents. What was ordered before may have left less than there was."""
    kept = payment_rows.read(transaction, each.payment_id)
    cents = min(missing, each.cents, _now_refundable(transaction, kept))
    if not cents:
        return 0
    refund = RefundSeen(refund_id="", order=wanted.order_id, cents=cents, state=RefundState.PENDING)
    seen = replace(kept.seen, refunds=(*kept.seen.refunds, refund))
    payment_movements.bring(transaction, kept, seen, now, reason=wanted.reason)
    return cents


def _now_refundable(transaction: Transaction, kept: Kept) -> int:
    free = holds.read_wallet(transaction, kept.seen.account_id).available
    left = min(grant_rows.remaining(transaction, kept.grant_id or ""), free)
    return refundable_cents(kept.seen, kept.booked, left)


def _told(row: Row) -> RefundOrder:
    order_id, account_id, payment_id, cents, reason, refund_id, at = row
    return RefundOrder(order_id, account_id, payment_id, cents, reason, refund_id, from_micros(at))
