"""Credit given to an account."""

from dataclasses import dataclass

from monkey_coder_server.adapters.storage import books, holds
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.ledger import grant_entries
from monkey_coder_server.ports.ledger import Wallet


@dataclass(frozen=True, slots=True)
class Grant:
    """Nano-dollars for an account. `idempotency_key` is the giver's, within the account; `at` in microseconds."""

    account_id: str
    amount: int
    reason: str
    idempotency_key: str
    at: int


def give(grant: Grant, transaction: Transaction) -> Wallet:
    """Book the grant and raise the balance, once. Raises `NotFound`, `InvalidRequest`."""
    if grant.amount <= 0:
        raise InvalidRequest("A grant must be more than zero; to take credit back, book a refund.")
    movement = books.Movement(
        f"grant:{grant.account_id}:{grant.idempotency_key}", "grant", grant.account_id, grant.at, reason=grant.reason
    )
    wallet = holds.lock_wallet(transaction, grant.account_id)
    if not books.post(transaction, movement, grant_entries(grant.account_id, grant.amount)):
        return wallet
    return holds.credit(transaction, grant.account_id, grant.amount)
