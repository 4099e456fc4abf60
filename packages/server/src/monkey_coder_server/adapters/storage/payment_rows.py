"""Payments as rows: read whole, with their refunds, disputes and where they were taken from, and written back.

Only behind the lock of the account's wallet: see `holds`.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import BindParameter, Table, Text, bindparam, delete, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.payment_tables import (
    FIGURES,
    payment_disputes,
    payment_refunds,
    payment_takings,
    payments,
)
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.payment_books import NOTHING, NOTHING_TAKEN, Figures, Takings
from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    Purpose,
    RefundSeen,
    RefundState,
)
from monkey_coder_server.ports.record import Record

NO_WARNING, WARNED, LIFTED = "", "open", "lifted"
_OF: BindParameter[str] = bindparam("of", type_=Text)


def _put(table: Table) -> Query:
    """Write a row, new or not; since when it is there and why stays as it was."""
    made, stays = insert(table), {"at", "reason", *table.primary_key.columns.keys()}
    told = {column.name: made.excluded[column.name] for column in table.columns if column.name not in stays}
    return Query(made.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=told))


_PUT, _PUT_REFUND, _PUT_DISPUTE, _PUT_TAKING = [
    _put(table) for table in (payments, payment_refunds, payment_disputes, payment_takings)
]
_PAYMENT = Query(select(*payments.columns).where(payments.c.payment_id == _OF))
_REFUNDS = Query(
    select(*[payment_refunds.c[name] for name in ("refund_id", "order_id", "cents", "state")])
    .where(payment_refunds.c.payment_id == _OF)
    .order_by(payment_refunds.c.at, payment_refunds.c.name)
)
_DISPUTES = Query(
    select(*[payment_disputes.c[name] for name in ("dispute_id", "cents", "state", "withdrawn")])
    .where(payment_disputes.c.payment_id == _OF)
    .order_by(payment_disputes.c.at, payment_disputes.c.dispute_id)
)
_TAKINGS = Query(select(payment_takings.c.source, payment_takings.c.amount).where(payment_takings.c.payment_id == _OF))
_DROP_TAKINGS = Query(delete(payment_takings).where(payment_takings.c.payment_id == _OF))
_OF_ACCOUNT = Query(
    select(payments.c.payment_id)
    .where(payments.c.account_id == bindparam("account"))
    .order_by(payments.c.at.desc(), payments.c.payment_id.desc())
)
_FREEZING = Query(
    select(payments.c.payment_id)
    .where(payments.c.account_id == bindparam("account"), payments.c.freezes != literal_column("''"))
    .order_by(payments.c.at, payments.c.payment_id)
)


class Kept(Record, frozen=True):
    """A payment as it is kept: what was seen of it, what is booked, and by how many movements. Times in microseconds.

    `warning` of fraud: none, open, or lifted by an operator.
    """

    seen: PaymentSeen
    at: int
    warning: str = NO_WARNING
    paid_at: int | None = None
    grant_id: str | None = None
    movements: int = 0
    booked: Figures = NOTHING
    takings: Takings = NOTHING_TAKEN
    freezes: str = ""


def new(seen: PaymentSeen, account_id: str, now: int) -> Kept:
    """A payment nothing is booked of yet."""
    unseen = replace(
        seen, account_id=account_id, state=PaymentState.PENDING, early_fraud_warning=False, refunds=(), disputes=()
    )
    return Kept(unseen, at=now)


def find(transaction: Transaction, payment_id: str) -> Kept | None:
    """A payment with all that belongs to it."""
    of = {"of": payment_id}
    row = transaction.row(_PAYMENT, of)
    if row is None:
        return None
    told = dict(zip(payments.columns.keys(), row, strict=True))
    parts = {source: int(amount) for source, amount in transaction.rows(_TAKINGS, of)}
    takings = Takings(parts=parts, debt=told["debt"], aside=told["aside"])
    return Kept(
        _seen(transaction, told),
        at=told["at"],
        warning=told["warning"],
        paid_at=told["paid_at"],
        grant_id=told["grant_id"],
        movements=told["movements"],
        booked=Figures(**{name: told[name] for name in FIGURES}),
        takings=takings,
        freezes=told["freezes"],
    )


def read(transaction: Transaction, payment_id: str) -> Kept:
    """As `find`, of a payment that is known to be there. Raises `NotFound`."""
    kept = find(transaction, payment_id)
    if kept is None:
        message = f"There is no payment {payment_id} in the books."
        raise NotFound(message)
    return kept


def freezing(transaction: Transaction, account_id: str) -> list[Kept]:
    """The payments of an account that freeze it."""
    return [read(transaction, row[0]) for row in transaction.rows(_FREEZING, {"account": account_id})]


def of_account(transaction: Transaction, account_id: str) -> list[Kept]:
    """All payments of an account, the newest first."""
    return [read(transaction, row[0]) for row in transaction.rows(_OF_ACCOUNT, {"account": account_id})]


def write(transaction: Transaction, kept: Kept, now: int, *, reason: str = "") -> None:
    """Keep a payment; `reason` is why refunds that are new with it were ordered."""
    seen, takings = kept.seen, kept.takings
    whose = {"payment_id": seen.payment_id, "account_id": seen.account_id}
    transaction.change(
        _PUT,
        whose
        | {
            "customer_id": seen.customer_id,
            "purpose": seen.purpose.value,
            "state": seen.state.value,
            "currency": seen.currency,
            "cents": seen.cents,
            "tax_cents": seen.tax_cents,
            "reference": seen.reference,
            "failure": seen.failure,
            "warning": kept.warning,
            "at": kept.at,
            "paid_at": kept.paid_at,
            "grant_id": kept.grant_id,
            "movements": kept.movements,
            "debt": takings.debt,
            "aside": takings.aside,
            "freezes": kept.freezes,
        }
        | asdict(kept.booked),
    )
    transaction.change(_DROP_TAKINGS, {"of": seen.payment_id})
    for source, amount in takings.parts.items():
        transaction.change(_PUT_TAKING, whose | {"source": source, "amount": amount})
    for refund in seen.refunds:
        name = refund.order or refund.refund_id
        why = reason if refund.order else ""
        told = {"name": name, "refund_id": refund.refund_id, "order_id": refund.order, "cents": refund.cents}
        transaction.change(_PUT_REFUND, whose | told | {"state": refund.state.value, "reason": why, "at": now})
    for dispute in seen.disputes:
        told = {"dispute_id": dispute.dispute_id, "cents": dispute.cents, "state": dispute.state.value}
        transaction.change(_PUT_DISPUTE, whose | told | {"withdrawn": int(dispute.withdrawn), "at": now})


def _seen(transaction: Transaction, told: Mapping[str, Any]) -> PaymentSeen:
    of = {"of": told["payment_id"]}
    return PaymentSeen(
        payment_id=told["payment_id"],
        customer_id=told["customer_id"],
        account_id=told["account_id"],
        purpose=Purpose(told["purpose"]),
        state=PaymentState(told["state"]),
        cents=told["cents"],
        tax_cents=told["tax_cents"],
        currency=told["currency"],
        reference=told["reference"],
        failure=told["failure"],
        early_fraud_warning=told["warning"] != NO_WARNING,
        refunds=tuple([_refund(row) for row in transaction.rows(_REFUNDS, of)]),
        disputes=tuple([_dispute(row) for row in transaction.rows(_DISPUTES, of)]),
    )


def _refund(row: Row) -> RefundSeen:
    refund_id, order_id, cents, state = row
    return RefundSeen(refund_id=refund_id, order=order_id, cents=cents, state=RefundState(state))


def _dispute(row: Row) -> DisputeSeen:
    dispute_id, cents, state, withdrawn = row
    return DisputeSeen(dispute_id=dispute_id, cents=cents, state=DisputeState(state), withdrawn=bool(withdrawn))
