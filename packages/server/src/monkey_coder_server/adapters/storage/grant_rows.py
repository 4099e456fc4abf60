"""What remains of each grant. It sums to the balance, so whoever changes a balance changes it here, too.

Only behind the lock of the account's wallet: see `holds`.
"""

from sqlalchemy import bindparam, insert, literal_column, select, update

from monkey_coder_server.adapters.storage.limit_tables import grants
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT, from_micros
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.ports.credit import GrantStanding
from monkey_coder_server.ports.record import Record

_LEFT = (
    select(grants.c.grant_id, grants.c.remaining)
    .where(grants.c.account_id == bindparam("account"), grants.c.remaining > literal_column("0"))
    .order_by(grants.c.priority, grants.c.expires_at, grants.c.grant_id)
)
"""What an account can spend, in the order it is spent in."""
_NEXT = (
    _LEFT.with_only_columns(grants.c.grant_id, maintain_column_froms=True).limit(literal_column("1")).scalar_subquery()
)
_SPEND = Query(
    update(grants)
    .where(grants.c.grant_id == _NEXT, grants.c.remaining >= bindparam("part"))
    .values(remaining=grants.c.remaining - bindparam("part"))
)
_LEFT_OVER = Query(_LEFT)
_TAKE = Query(
    update(grants)
    .where(grants.c.grant_id == bindparam("wanted"), grants.c.remaining >= bindparam("part"))
    .values(remaining=grants.c.remaining - bindparam("part"))
)
_ADD = Query(insert(grants))
_OF_ACCOUNT = Query(
    select(
        grants.c.grant_id,
        grants.c.kind,
        grants.c.priority,
        grants.c.amount,
        grants.c.remaining,
        grants.c.at,
        grants.c.expires_at,
    )
    .where(grants.c.account_id == bindparam("account"))
    .order_by(grants.c.priority, grants.c.expires_at, grants.c.grant_id)
)


class GrantRow(Record, frozen=True):
    """Credit as it is given; `grant_id` is the transaction's that books it. Times in microseconds."""

    grant_id: str
    account_id: str
    kind: str
    priority: int
    amount: int
    at: int
    expires_at: int = LAST_MOMENT


def add(transaction: Transaction, row: GrantRow) -> None:
    """Store a grant, whole."""
    transaction.change(
        _ADD,
        {
            "grant_id": row.grant_id,
            "account_id": row.account_id,
            "kind": row.kind,
            "priority": row.priority,
            "amount": row.amount,
            "remaining": row.amount,
            "at": row.at,
            "expires_at": row.expires_at,
        },
    )


def spend(transaction: Transaction, account_id: str, amount: int) -> None:
    """Take a charge from an account's grants: the lowest priority number first, then what expires first.

    A charge the grants do not cover is booked all the same; the audit tells of it.
    """
    if amount <= 0 or transaction.change(_SPEND, {"account": account_id, "part": amount}):
        return
    for grant_id, remaining in transaction.rows(_LEFT_OVER, {"account": account_id}):
        part = min(remaining, amount)
        take(transaction, grant_id, part)
        amount -= part
        if not amount:
            return


def take(transaction: Transaction, grant_id: str, part: int) -> bool:
    """Take a part of one grant; False when less remains."""
    return bool(transaction.change(_TAKE, {"wanted": grant_id, "part": part}))


def of_account(account_id: str, transaction: Transaction) -> list[GrantStanding]:
    """An account's grants, spent ones included, in the order they are spent in."""
    return [
        GrantStanding(
            grant_id,
            kind,
            priority,
            amount,
            remaining,
            given_at=from_micros(at),
            expires_at=None if expires_at == LAST_MOMENT else from_micros(expires_at),
        )
        for grant_id, kind, priority, amount, remaining, at, expires_at in transaction.rows(
            _OF_ACCOUNT, {"account": account_id}
        )
    ]
