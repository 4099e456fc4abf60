"""Refunds: each names the transaction it undoes, and all of one together never exceed it."""

from sqlalchemy import bindparam, func, literal_column, select

from monkey_coder_server.adapters.storage import books, grant_rows, holds
from monkey_coder_server.adapters.storage.tables import entries, transactions
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound
from monkey_coder_server.domain.ledger import (
    REFUND_PRIORITY,
    Account,
    AccountKind,
    Entry,
    GrantKind,
    refund_entries,
)
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import Wallet

UNDONE = ("settle", "grant")
"""The kinds of transactions that can be undone."""

_FIND = Query(
    select(transactions.c.kind, transactions.c.request_id).where(
        transactions.c.transaction_id == bindparam("wanted"), transactions.c.account_id == bindparam("account")
    )
)
_LINES = Query(
    select(entries.c.kind, entries.c.owner, entries.c.amount).where(entries.c.transaction_id == bindparam("wanted"))
)
_REFUNDED = Query(
    select(func.coalesce(func.sum(func.abs(entries.c.amount)), literal_column("0")))
    .join(transactions, transactions.c.transaction_id == entries.c.transaction_id)
    .where(
        transactions.c.undoes == bindparam("wanted"),
        entries.c.kind == literal_column(f"'{AccountKind.CUSTOMER_CREDIT.value}'"),
    )
)
_BOOKED = Query(select(transactions.c.kind).where(transactions.c.transaction_id == bindparam("wanted")))


def give(refund: Refund, now: int, transaction: Transaction) -> Wallet:
    """Book a refund, once; `now` in microseconds. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
    wallet = holds.lock_wallet(transaction, refund.account_id)
    wanted = {"wanted": refund.undoes}
    found = transaction.row(_FIND, wanted | {"account": refund.account_id})
    if found is None or found[0] not in UNDONE:
        message = f"The account {refund.account_id} has no charge and no grant {refund.undoes}."
        raise NotFound(message)
    name = f"refund:{refund.undoes}:{refund.idempotency_key}"
    if transaction.row(_BOOKED, {"wanted": name}) is not None:
        return wallet
    undone = [Entry(Account(AccountKind(kind), owner), sum_) for kind, owner, sum_ in transaction.rows(_LINES, wanted)]
    [(refunded,)] = transaction.rows(_REFUNDED, wanted)
    try:
        lines = refund_entries(undone, refund.account_id, refund.amount, refunded=int(refunded))
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
    movement = books.Movement(
        name, "refund", refund.account_id, now, request_id=found[1], reason=refund.reason, undoes=refund.undoes
    )
    books.post(transaction, movement, lines)
    if found[0] == "grant":
        return _take_back(transaction, refund, wallet)
    row = grant_rows.GrantRow(name, refund.account_id, GrantKind.REFUND.value, REFUND_PRIORITY, refund.amount, now)
    grant_rows.add(transaction, row)
    return holds.credit(transaction, refund.account_id, refund.amount)


def _take_back(transaction: Transaction, refund: Refund, wallet: Wallet) -> Wallet:
    """Take credit back that was granted, if it is neither spent nor held."""
    if refund.amount > wallet.available or not grant_rows.take(transaction, refund.undoes, refund.amount):
        message = f"Not all of {usd(refund.amount)} USD of this grant is there any more: it is spent, expired or held."
        raise Conflict(message)
    holds.move(transaction, refund.account_id, held=0, balance=-refund.amount)
    return holds.read_wallet(transaction, refund.account_id)
