"""The double-entry books: every movement of money is a transaction whose entries sum to zero."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.tables import entries, transactions
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.ledger import Entry
from monkey_coder_server.ports.record import Record

_RECORD = Query(insert_or_not(transactions).on_conflict_do_nothing())
_WRITE = Query(insert(entries))


class Movement(Record, frozen=True):
    """Why money moves. `transaction_id` says it uniquely: the same movement is never booked twice.

    `undoes` is the transaction a refund takes back.
    """

    transaction_id: str
    kind: str
    account_id: str
    at: int
    request_id: str | None = None
    reason: str = ""
    undoes: str | None = None


def post(transaction: Transaction, movement: Movement, lines: Sequence[Entry]) -> bool:
    """Book a movement; False when it was booked before.

    Raises `ValueError` when the entries do not sum to zero.
    """
    _check(movement, lines)
    if not transaction.insert_each(_RECORD, [_record(movement)]):
        return False
    if lines:
        transaction.insert_each(_WRITE, _written(movement, lines))
    return True


def post_each(transaction: Transaction, posts: Sequence[tuple[Movement, Sequence[Entry]]]) -> None:
    """Book movements together. Raises `ValueError` as `post` does, and when one of them was booked before."""
    written: list[Row] = []
    for movement, lines in posts:
        _check(movement, lines)
        written += _written(movement, lines)
    if posts and transaction.insert_each(_RECORD, [_record(movement) for movement, _ in posts]) != len(posts):
        raise ValueError("One of these movements was booked before.")
    if written:
        transaction.insert_each(_WRITE, written)


def _check(movement: Movement, lines: Sequence[Entry]) -> None:
    moved = sum([line.amount for line in lines])
    if moved:
        message = f"{movement.transaction_id}: the entries sum to {moved}, not to zero"
        raise ValueError(message)


def _record(movement: Movement) -> Row:
    """The row of `transactions`."""
    return (
        movement.transaction_id,
        movement.kind,
        movement.account_id,
        movement.request_id,
        movement.reason,
        movement.at,
        movement.undoes,
    )


def _written(movement: Movement, lines: Sequence[Entry]) -> list[Row]:
    """The rows of `entries`."""
    transaction_id = movement.transaction_id
    return [(transaction_id, line, str(kind), owner, amount) for line, ((kind, owner), amount) in enumerate(lines)]
