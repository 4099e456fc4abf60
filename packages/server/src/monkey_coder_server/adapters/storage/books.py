"""The double-entry books: every movement of money is a transaction whose entries sum to zero."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from sqlalchemy import bindparam, insert
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.tables import entries, transactions
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.ledger import Entry
from monkey_coder_server.ports.record import Record

_RECORD = Query(insert_or_not(transactions).on_conflict_do_nothing())


MOST_LINES = 16
_NAMES = [(f"line_{line}", f"kind_{line}", f"owner_{line}", f"amount_{line}") for line in range(MOST_LINES)]


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

    Raises `ValueError` when the entries do not sum to zero or are more than `MOST_LINES`.
    """
    _check(movement, lines)
    if not transaction.change(_RECORD, _record(movement)):
        return False
    if lines:
        transaction.change(_lines(len(lines)), _written(movement, lines))
    return True


def post_each(transaction: Transaction, posts: Sequence[tuple[Movement, Sequence[Entry]]]) -> None:
    """Book movements together. Raises `ValueError` as `post` does, and when one of them was booked before."""
    by_length: defaultdict[int, list[Parameters]] = defaultdict(list)
    for movement, lines in posts:
        _check(movement, lines)
        by_length[len(lines)].append(_written(movement, lines))
    if posts and transaction.change_each(_RECORD, [_record(movement) for movement, _ in posts]) != len(posts):
        raise ValueError("One of these movements was booked before.")
    for length, written in by_length.items():
        if length:
            transaction.change_each(_lines(length), written)


def _check(movement: Movement, lines: Sequence[Entry]) -> None:
    moved = sum([line.amount for line in lines])
    if moved:
        message = f"{movement.transaction_id}: the entries sum to {moved}, not to zero"
        raise ValueError(message)


def _record(movement: Movement) -> Parameters:
    return {
        "transaction_id": movement.transaction_id,
        "kind": movement.kind,
        "account_id": movement.account_id,
        "request_id": movement.request_id,
        "reason": movement.reason,
        "at": movement.at,
        "undoes": movement.undoes,
    }


@cache
def _lines(count: int) -> Query:
    """One statement that inserts `count` entries."""
    return Query(
        insert(entries).values(
            [
                {
                    "transaction_id": bindparam("transaction"),
                    "line": bindparam(names[0]),
                    "kind": bindparam(names[1]),
                    "owner": bindparam(names[2]),
                    "amount": bindparam(names[3]),
                }
                for names in _NAMES[:count]
            ]
        )
    )


def _written(movement: Movement, lines: Sequence[Entry]) -> Parameters:
    parameters: dict[str, object] = {"transaction": movement.transaction_id}
    for position, (line, names) in enumerate(zip(lines, _NAMES[: len(lines)], strict=True)):
        account = line.account
        parameters[names[0]] = position
        parameters[names[1]] = account.kind.value
        parameters[names[2]] = account.owner
        parameters[names[3]] = line.amount
    return parameters
