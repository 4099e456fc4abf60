"""What an account was charged in a period: receipt by receipt, and summed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.ledger import SignedReceipt
from monkey_coder_server.ports.record import Record


class Place(Record, frozen=True):
    """Where a page ended: the moment of its last charge, in microseconds since 1970, and that request's id."""

    at: int
    request_id: str


class Issued(Record, frozen=True):
    """A receipt with where it stands in its account's and its key's order. `sequence` counts from 1 for each key."""

    receipt: SignedReceipt
    place: Place
    key_id: str
    sequence: int


class Line(Record, frozen=True):
    """What one key was charged at one model: requests, tokens, nano-dollars."""

    key_id: str
    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    charged: int


class CreditMoved(Record, frozen=True):
    """One movement of an account's credit that is no charge: `amount` nano-dollars, negative when it takes credit.

    `kind` is `grant`, `refund` (of a charge, whose request is named), `taken_back` (of a grant) or `expired`.
    """

    at: datetime
    kind: str
    amount: int
    request_id: str | None


class CreditSums(Record, frozen=True):
    """An account's credit over a period, in nano-dollars of zero or more.

    `closing` = `opening` + `granted` + `refunded` - `taken_back` - `expired` - `charged`. `moved` lists what is no
    charge, oldest first.
    """

    opening: int
    granted: int
    refunded: int
    taken_back: int
    expired: int
    charged: int
    closing: int
    moved: Sequence[CreditMoved]


class Statements(Protocol):
    """Reads of charges as they are booked, with start ≤ at < end."""

    async def issued(  # noqa: PLR0913 - what a page is chosen by, all named
        self, account_id: str, *, start: datetime, end: datetime, after: Place | None, key_id: str | None, most: int
    ) -> Sequence[Issued]:
        """The receipts of a period, oldest first, from behind a place; of one key or of all."""

    async def lines(self, account_id: str, *, start: datetime, end: datetime) -> Sequence[Line]:
        """The charges of a period by key and model."""

    async def credit(self, account_id: str, *, start: datetime, end: datetime, most: int) -> CreditSums:
        """What became of the credit between two midnights (UTC), with at most so many movements; sums are of all.

        Raises `NotFound` for an account without a wallet.
        """
