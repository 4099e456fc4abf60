"""Automatic top-ups: rules of accounts, and the payments they began. Amounts are cents. Raises `Unavailable`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.top_ups import TopUpRule, TopUpStanding
from monkey_coder_server.ports.record import Record


class TopUpCharge(Record, frozen=True):
    """A payment that began and has no end yet; `payment_id` is empty until the processor named it."""

    account_id: str
    sequence: int
    cents: int
    at: datetime
    payment_id: str = ""

    @property
    def key(self) -> str:
        """Its name at the processor, where it is repeated under until its end is known."""
        return f"top_up:{self.account_id}:{self.sequence}"


class TopUps(Protocol):
    """Each call is one transaction, durable on return; of an account one payment is under way at a time."""

    async def find(self, account_id: str) -> TopUpStanding | None:
        """An account's rule, also one that was removed."""

    async def set(self, account_id: str, rule: TopUpRule, *, by: str, now: datetime) -> TopUpStanding:
        """Set a rule. Raises `NotFound` for an account without a wallet."""

    async def remove(self, account_id: str, *, by: str, now: datetime) -> bool:
        """Take the rule away; False when there was none. A payment under way goes on."""

    async def due(self, now: datetime, *, most: int) -> Sequence[str]:
        """Accounts whose balance is below what their rule says, as far as they may be charged."""

    async def begin(self, account_id: str, now: datetime) -> TopUpCharge | None:
        """Begin a payment if it is due still, whoever else begins one; it is the caller's for a minute."""

    async def postpone(self, account_id: str, until: datetime) -> None:
        """Begin nothing before then."""

    async def take_open(self, now: datetime, *, most: int) -> Sequence[TopUpCharge]:
        """Payments whose end is to be asked for now, oldest first; they are the caller's for a minute."""

    async def name(self, charge: TopUpCharge, payment_id: str) -> None:
        """Note what the processor calls a payment."""

    async def succeed(self, charge: TopUpCharge) -> TopUpStanding | None:
        """The payment was received; None when its end was noted before."""

    async def fail(self, charge: TopUpCharge, why: str, now: datetime) -> TopUpStanding | None:
        """The payment came to nothing; None when its end was noted before."""
