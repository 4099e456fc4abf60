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

    `kind` is `grant`, `promotion` (by a code; among what was `granted`), `purchase`, `plan` (credit of one),
    `credit_line` (free again with a paid invoice), `refund` (of a charge, whose request is named), `restored` (of what
    a refund or a bank took), `taken_back` (of a grant or line), `paid_back` (to a card), `disputed` (with a bank),
    `debt_paid` (from credit that came later) or `expired`.
    """

    at: datetime
    kind: str
    amount: int
    request_id: str | None


GAINED = ("granted", "purchased", "included", "renewed", "refunded", "restored")
LOST = ("taken_back", "paid_back", "disputed", "debt_paid", "expired")
"""The figures of `CreditSums` that add to credit and take from it, beside charges."""


class CreditSums(Record, frozen=True):
    """An account's credit over a period, in nano-dollars of zero or more.

    `closing` = `opening` + all that are `GAINED` - all that are `LOST` - `charged`. `moved` lists what is no charge,
    oldest first. `included` is credit of plans, `renewed` of a line; the others are named as in `CreditMoved`.
    """

    opening: int
    granted: int
    refunded: int
    taken_back: int
    expired: int
    charged: int
    closing: int
    moved: Sequence[CreditMoved]
    purchased: int = 0
    included: int = 0
    renewed: int = 0
    restored: int = 0
    paid_back: int = 0
    disputed: int = 0
    debt_paid: int = 0


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
