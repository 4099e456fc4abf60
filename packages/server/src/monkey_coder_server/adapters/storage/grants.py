"""Credit given to an account, and what becomes of it when its time is over."""

from dataclasses import dataclass

from sqlalchemy import bindparam, literal_column, select

from monkey_coder_server.adapters.storage import books, grant_rows, holds
from monkey_coder_server.adapters.storage.limit_tables import grants
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.ledger import DEFAULT_PRIORITY, GrantKind, expire_entries, grant_entries, grant_id
from monkey_coder_server.ports.ledger import Wallet

EXPIRED_AT_ONCE = 20

_OVERDUE = Query(
    select(grants.c.grant_id, grants.c.account_id)
    .join(wallets, wallets.c.account_id == grants.c.account_id)
    .where(
        grants.c.remaining > literal_column("0"),
        grants.c.expires_at <= bindparam("now"),
        wallets.c.balance > wallets.c.held,
    )
    .order_by(grants.c.expires_at)
    .limit(bindparam("most"))
)
_REMAINING = Query(select(grants.c.remaining).where(grants.c.grant_id == bindparam("wanted")))


@dataclass(frozen=True, slots=True)
class Grant:
    """Nano-dollars for an account. `idempotency_key` is the giver's, within the account; times in microseconds."""

    account_id: str
    amount: int
    reason: str
    idempotency_key: str
    at: int
    kind: GrantKind = GrantKind.PROMO
    priority: int = DEFAULT_PRIORITY
    expires_at: int = LAST_MOMENT


def give(grant: Grant, transaction: Transaction) -> Wallet:
    """Book the grant and raise the balance, once. Raises `NotFound`, `InvalidRequest`."""
    if grant.amount <= 0:
        raise InvalidRequest("A grant must be more than zero; to take credit back, book a refund.")
    if grant.expires_at <= grant.at:
        raise InvalidRequest("A grant must expire later than it is given.")
    movement = books.Movement(
        grant_id(grant.account_id, grant.idempotency_key), "grant", grant.account_id, grant.at, reason=grant.reason
    )
    wallet = holds.lock_wallet(transaction, grant.account_id)
    if not books.post(transaction, movement, grant_entries(grant.account_id, grant.amount, grant.kind)):
        return wallet
    row = grant_rows.GrantRow(
        movement.transaction_id,
        grant.account_id,
        grant.kind.value,
        grant.priority,
        grant.amount,
        at=grant.at,
        expires_at=grant.expires_at,
    )
    grant_rows.add(transaction, row)
    return holds.credit(transaction, grant.account_id, grant.amount)


def expire(now: int, transaction: Transaction) -> int:
    """Book as breakage what is free of some grants whose time is over; of how many.

    What running requests hold is left alone until they end. `now` in microseconds.
    """
    overdue = sorted(transaction.rows(_OVERDUE, {"now": now, "most": EXPIRED_AT_ONCE}), key=_account)
    return sum([_expire(transaction, grant_id, account_id, now) for grant_id, account_id in overdue])


def _expire(transaction: Transaction, grant_id: str, account_id: str, now: int) -> bool:
    """Take what is free of one grant; whether that was anything."""
    wallet = holds.lock_wallet(transaction, account_id)
    [(remaining,)] = transaction.rows(_REMAINING, {"wanted": grant_id})
    part = min(remaining, wallet.available)
    if part <= 0:
        return False
    movement = books.Movement(
        f"expire:{grant_id}:{remaining}:{now}", "expire", account_id, now, reason="credit expired"
    )
    books.post(transaction, movement, expire_entries(account_id, part))
    grant_rows.take(transaction, grant_id, part)
    holds.move(transaction, account_id, held=0, balance=-part)
    return True


def _account(row: Row) -> str:
    """What wallets are locked in the order of, so that two sweepers never wait for each other."""
    return str(row[1])
