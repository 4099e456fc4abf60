"""What becomes of credit beside being spent: it expires, and it is given or taken back. Amounts are nano-dollars."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.record import Record


class GrantStanding(Record, frozen=True):
    """Credit that was given, and what remains of it."""

    grant_id: str
    kind: str
    priority: int
    amount: int
    remaining: int
    given_at: datetime
    expires_at: datetime | None


class Refund(Record, frozen=True):
    """Undo `amount` of the transaction `undoes` (`settle:REQUEST` or a grant's id) of an account."""

    account_id: str
    undoes: str
    amount: int
    reason: str
    idempotency_key: str


class Credit(Protocol):
    """Grants after they were given. Changes are durable on return."""

    async def refund(self, refund: Refund) -> Wallet:
        """Give a charge back, or take a grant back, whole or in part; a repeated key changes nothing.

        Raises `NotFound`, `InvalidRequest` when it is more than what is left to undo, `Conflict` when credit that is
        to be taken back is spent or held.
        """

    async def grants(self, account_id: str) -> Sequence[GrantStanding]:
        """An account's grants, spent ones included, in the order they are spent in."""

    async def expire_grants(self, now: datetime) -> int:
        """Book as breakage what is free of grants whose time is over; of how many. What is held follows later."""
