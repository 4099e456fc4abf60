"""What an account bought and got back, as it reads it."""

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import bindparam, func, literal_column, select

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.payment_tables import payment_refunds, payments
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.payments import PaymentState, Purpose, RefundState
from monkey_coder_server.ports.purchases import PaymentStanding, Place, RefundStanding

_BEYOND = 2**62
"""Later than anything, in microseconds."""
_GOES_BACK = (
    select(func.coalesce(func.sum(payment_refunds.c.cents), literal_column("0")))
    .where(payment_refunds.c.payment_id == payments.c.payment_id, payment_refunds.c.state != literal_column("'failed'"))
    .correlate(payments)
    .scalar_subquery()
)
_PAYMENTS = Query(
    select(
        payments.c.payment_id,
        payments.c.purpose,
        payments.c.state,
        payments.c.cents,
        payments.c.tax_cents,
        _GOES_BACK,
        payments.c.at,
        payments.c.reference,
        payments.c.failure,
    )
    .where(payments.c.account_id == bindparam("account"), payments.c.at <= bindparam("until"))
    .order_by(payments.c.at.desc(), payments.c.payment_id.desc())
    .limit(bindparam("most"))
    .offset(bindparam("shown"))
)
_REFUNDS = Query(
    select(
        payment_refunds.c.order_id,
        payment_refunds.c.payment_id,
        payment_refunds.c.cents,
        payment_refunds.c.state,
        payment_refunds.c.reason,
        payment_refunds.c.at,
    )
    .join(payments, payments.c.payment_id == payment_refunds.c.payment_id)
    .where(
        payments.c.account_id == bindparam("account"),
        payment_refunds.c.order_id != literal_column("''"),
        payment_refunds.c.at <= bindparam("until"),
    )
    .order_by(payment_refunds.c.at.desc(), payment_refunds.c.payment_id.desc(), payment_refunds.c.order_id.desc())
    .limit(bindparam("most"))
    .offset(bindparam("shown"))
)


class SqlPurchases:
    """`ports.purchases.Purchases`."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def payments(self, account_id: str, *, most: int, after: Place | None = None) -> Sequence[PaymentStanding]:
        """Its payments, newest first, those before a place."""
        return await self._readers.read_of(account_id, partial(_payments, _asked(account_id, most, after)))

    async def refunds(self, account_id: str, *, most: int, after: Place | None = None) -> Sequence[RefundStanding]:
        """The refunds ordered here, newest first, those before a place."""
        return await self._readers.read_of(account_id, partial(_refunds, _asked(account_id, most, after)))


def _asked(account_id: str, most: int, after: Place | None) -> dict[str, int | str]:
    until, shown = (_BEYOND, 0) if after is None else (to_micros(after.at), after.shown)
    return {"account": account_id, "most": most, "until": until, "shown": shown}


def _payments(asked: Mapping[str, int | str], transaction: Transaction) -> list[PaymentStanding]:
    return [_payment(row) for row in transaction.rows(_PAYMENTS, asked)]


def _payment(row: Row) -> PaymentStanding:
    payment_id, purpose, state, cents, tax, back, at, reference, failure = row
    return PaymentStanding(
        payment_id,
        Purpose(purpose),
        PaymentState(state),
        cents,
        tax,
        int(back),
        from_micros(at),
        reference,
        failure,
    )


def _refunds(asked: Mapping[str, int | str], transaction: Transaction) -> list[RefundStanding]:
    return [_refund(row) for row in transaction.rows(_REFUNDS, asked)]


def _refund(row: Row) -> RefundStanding:
    order_id, payment_id, cents, state, reason, at = row
    return RefundStanding(order_id, payment_id, cents, RefundState(state), reason, from_micros(at))
