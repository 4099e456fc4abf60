"""The double-entry books: every movement of money is a transaction whose entries sum to zero."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import bindparam, insert
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.tables import entries, transactions
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
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
    moved = sum(line.amount for line in lines)
    if moved:
        message = f"{movement.transaction_id}: the entries sum to {moved}, not to zero"
        raise ValueError(message)
    recorded = transaction.change(
        _RECORD,
        {
            "transaction_id": movement.transaction_id,
            "kind": movement.kind,
            "account_id": movement.account_id,
            "request_id": movement.request_id,
            "reason": movement.reason,
            "at": movement.at,
            "undoes": movement.undoes,
        },
    )
    if not recorded:
        return False
    _write(transaction, movement.transaction_id, lines)
    return True


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


def _write(transaction: Transaction, transaction_id: str, lines: Sequence[Entry]) -> None:
    if not lines:
        return
    parameters: dict[str, object] = {"transaction": transaction_id}
    for position, (line, names) in enumerate(zip(lines, _NAMES[: len(lines)], strict=True)):
        account = line.account
        parameters[names[0]] = position
        parameters[names[1]] = account.kind.value
        parameters[names[2]] = account.owner
        parameters[names[3]] = line.amount
    transaction.change(_lines(len(lines)), parameters)
