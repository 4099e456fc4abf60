"""What remains of each grant. It sums to the balance, so whoever changes a balance changes it here, too.

Only behind the lock of the account's wallet: see `holds`.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, insert, literal_column, or_, select, update

from monkey_coder_server.adapters.storage.limit_tables import grants
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT, from_micros
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.ports.credit import GrantStanding
from monkey_coder_server.ports.record import Record

_LEFT = Several(
    lambda accounts: (
        select(grants.c.account_id, grants.c.grant_id, grants.c.remaining)
        .where(grants.c.account_id.in_(accounts), grants.c.remaining > literal_column("0"))
        .order_by(grants.c.account_id, grants.c.priority, grants.c.expires_at, grants.c.grant_id)
    )
)
"""What accounts can spend, each in the order it is spent in."""
_TAKE = Query(
    update(grants)
    .where(grants.c.grant_id == bindparam("wanted"), grants.c.remaining >= bindparam("part"))
    .values(remaining=grants.c.remaining - bindparam("part"))
)
_SHIFT = Query(
    update(grants)
    .where(grants.c.grant_id == bindparam("wanted"))
    .values(remaining=grants.c.remaining + bindparam("more"))
)
_BOUGHT = Query(
    select(grants.c.grant_id, grants.c.remaining)
    .where(
        grants.c.account_id == bindparam("account"),
        grants.c.remaining > literal_column("0"),
        or_(*[grants.c.kind == literal_column(f"'{kind}'") for kind in (GrantKind.PURCHASE, GrantKind.REFUND)]),
    )
    .order_by(grants.c.priority, grants.c.expires_at, grants.c.grant_id)
)
_REMAINING = Query(select(grants.c.remaining).where(grants.c.grant_id == bindparam("wanted")))
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


def spend_each(transaction: Transaction, charges: Mapping[str, int]) -> None:
    """Take charges from the grants of accounts: the lowest priority number first, then what expires first.

    A charge the grants do not cover is booked all the same; the audit tells of it.
    """
    owed = {account_id: charge for account_id, charge in charges.items() if charge > 0}
    parts: list[Parameters] = []
    for account_id, grant_id, remaining in _LEFT.rows(transaction, sorted(owed)):
        part = min(remaining, owed[account_id])
        if part:
            owed[account_id] -= part
            parts.append({"wanted": grant_id, "part": part})
    if parts:
        transaction.change_each(_TAKE, parts)


def take(transaction: Transaction, grant_id: str, part: int) -> bool:
    """Take a part of one grant; False when less remains."""
    return bool(transaction.change(_TAKE, {"wanted": grant_id, "part": part}))


def shift(transaction: Transaction, grant_id: str, more: int) -> None:
    """Put into one grant what was taken from it, or take out what is known to be there."""
    transaction.change(_SHIFT, {"wanted": grant_id, "more": more})


def remaining(transaction: Transaction, grant_id: str) -> int:
    """What is left of one grant."""
    row = transaction.row(_REMAINING, {"wanted": grant_id})
    return 0 if row is None else int(row[0])


def bought(transaction: Transaction, account_id: str) -> dict[str, int]:
    """What is left of grants that an account paid for, by id; charges given back are among them."""
    return {grant_id: int(left) for grant_id, left in transaction.rows(_BOUGHT, {"account": account_id})}


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
