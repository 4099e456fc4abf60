"""The record of credit and usage: hold, then settle or void; every movement sums to zero.

Adapters make each call one transaction. A hold resolves at most once. Amounts are nano-dollars.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from monkey_coder_server.domain.ledger import DEFAULT_PRIORITY, GrantKind
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.record import Record

HOUSE = "house"
"""The account, and the key, of what the house pays itself: its wallet is empty and pays nothing."""


class IdempotencyKey(Record, frozen=True):
    """Scoped to the account. `fingerprint` is the SHA-256 of the canonical request body."""

    key: str
    fingerprint: bytes


class HoldRequest(Record, frozen=True):
    """Reserve `amount`, the most the request can cost its account. `at` is the time caps are reckoned by.

    `tokens` is the most it can use and `models` (`provider/model`) those it may come to use, for limits on them.
    """

    request_id: str
    account_id: str
    key_id: str
    amount: int
    at: datetime
    expires_at: datetime
    idempotency: IdempotencyKey | None = None
    tokens: int = 0
    models: tuple[str, ...] = ()


class Hold(Record, frozen=True):
    """An admitted reservation. It is decided when this is returned and on disk when `Ledger.durable` returns."""

    request_id: str
    account_id: str
    amount: int


class Replay(Record, frozen=True):
    """The idempotency key was served before: the stored first result."""

    request_id: str
    body: bytes


class Charge(Record, frozen=True):
    """A settled request. `charged` ≤ hold; `loss` is what the house bears beyond it; `balance` is after it."""

    request_id: str
    receipt_id: str
    charged: int
    provider_cost: int
    loss: int
    balance: int


Remember = Callable[[Charge], bytes]
"""Renders the result that repeats under an idempotency key are given; called while the charge is being booked."""


class AttemptRecord(Record, frozen=True):
    """One call to a provider, for receipt and usage rows. `outcome` is `served` or a failure kind."""

    provider: str
    model: str
    outcome: str
    first_byte_ms: int | None = None
    total_ms: int | None = None
    provider_request_id: str | None = None


class Bill(Record, frozen=True):
    """What one provider charges us for one answer, delivered or not: `cost` nano-dollars, before any reconciliation.

    `provider_request_id` is the provider's own name of the request, by which its invoices are matched: an attribute,
    never a key.
    """

    provider: str
    model: str
    usage: Usage
    cost: int
    provider_request_id: str | None = None


class PaidBranch(Record, frozen=True):
    """One of several answers an account asked for at once: `price` is its part of the settlement's, in nano-dollars.

    `kept`: it is the one the caller got. `agent` (from 1) and `role` are of a team's turn, empty for others.
    """

    provider: str
    model: str
    usage: Usage
    price: int
    price_row: str
    price_book: str
    markup_basis_points: int
    kept: bool = False
    agent: int = 0
    role: str = ""


class Settlement(Record, frozen=True, tag="settlement"):
    """Everything known of a served request.

    `price` is what it costs the account (after markup, rounded up once), `provider_cost` what it costs us, both
    before the hold caps the former; `elsewhere` is the part of that cost other providers bill, for answers nobody
    got. `bills` says the same answer by answer; empty when only the sums are known. Of a request that asked several
    arms, `branches` are the answers it pays for, `usage` is theirs together, and the row of prices is the kept one's.
    """

    request_id: str
    account_id: str
    key_id: str
    at: datetime
    provider: str
    model: str
    usage: Usage
    provider_cost: int
    price: int
    price_row: str
    price_book: str
    markup_basis_points: int
    attempts: tuple[AttemptRecord, ...]
    finish_reason: str
    stream: bool
    task_type: str
    persona: str
    latency_ms: int
    first_byte_ms: int | None
    client_gone: bool = False
    cancel_policy: str | None = None
    cache_saving: int = 0
    elsewhere: Mapping[str, int] = msgspec.field(default_factory=dict)
    bills: tuple[Bill, ...] = ()
    branches: tuple[PaidBranch, ...] = ()


class FailedRequest(Record, frozen=True, tag="failure"):
    """A request nobody is charged for. `provider_cost` > 0 when a provider bills us anyway: the house's loss.

    `elsewhere` is the part of that cost other providers than `provider` bill; `bills` as in `Settlement`.
    """

    request_id: str
    account_id: str
    key_id: str
    at: datetime
    error_code: str
    message: str
    attempts: tuple[AttemptRecord, ...] = ()
    provider: str | None = None
    model: str | None = None
    usage: Usage = msgspec.field(default_factory=Usage)
    provider_cost: int = 0
    task_type: str = ""
    persona: str = ""
    stream: bool = False
    latency_ms: int = 0
    elsewhere: Mapping[str, int] = msgspec.field(default_factory=dict)
    bills: tuple[Bill, ...] = ()


class Wallet(Record, frozen=True):
    """`available` = balance - held."""

    account_id: str
    balance: int
    held: int

    @property
    def available(self) -> int:
        """What a new hold can take."""
        return self.balance - self.held


class GrantTerms(Record, frozen=True):
    """Where credit comes from, and how it is spent: lower `priority` first, then what expires first.

    `expires_at` None is never.
    """

    kind: GrantKind = GrantKind.PROMO
    priority: int = DEFAULT_PRIORITY
    expires_at: datetime | None = None


PLAIN_GRANT = GrantTerms()


class SignedReceipt(Record, frozen=True):
    """A receipt as stored; see `domain.receipts`."""

    receipt_id: str
    account_id: str
    body: str
    signature: str
    signing_key_id: str
    chain_hash: str


class LedgerReport(Record, frozen=True):
    """The figures `ledger verify` prints: each violation count must be 0. `totals` are nano-dollars by account kind."""

    checks: Mapping[str, int]
    totals: Mapping[str, int]
    details: Sequence[str] = ()

    @property
    def sound(self) -> bool:
        """Whether every check is 0."""
        return not any(self.checks.values())


class Records(Protocol):
    """Wallets as they are filled and read; what was charged, used and signed."""

    async def open_wallet(self, account_id: str) -> None:
        """Make the account's wallet, empty; harmless when it exists."""

    async def grant(
        self, account_id: str, amount: int, *, reason: str, idempotency_key: str, terms: GrantTerms = PLAIN_GRANT
    ) -> Wallet:
        """Add credit (amount > 0); a repeated key changes nothing. Raises `NotFound`, `InvalidRequest`."""

    async def earlier(self, account_id: str, key: IdempotencyKey) -> Replay | None:
        """The first result under a key, without using it; None for a key nobody used.

        Raises `IdempotencyConflict`, `RequestInProgress`, `Unavailable`.
        """

    async def booked(self, account_id: str) -> None:
        """Wait until all that ended here of an account is in its records. Raises `Unavailable`."""

    async def wallet(self, account_id: str) -> Wallet:
        """Balance and holds now."""

    async def receipt(self, account_id: str, receipt_id: str) -> SignedReceipt | None:
        """One receipt of this account, by receipt id or request id."""

    async def spent(self, account_id: str, *, start: datetime, end: datetime) -> int:
        """What was charged with start ≤ at < end, in nano-dollars, however many requests it was."""

    async def expire_holds(self, now: datetime) -> int:
        """Resolve open holds whose owner is gone (past `expires_at`): voided, flagged; how many."""

    async def verify(self) -> LedgerReport:
        """Audit the books."""


class Ledger(Records, Protocol):
    """Credit as requests see it: held, then charged or freed. Reads see what this process settled before."""

    async def hold(self, request: HoldRequest) -> Hold | Replay:
        """Decide and reserve.

        Raises `InsufficientCredit`, `BudgetExceeded`, `IdempotencyConflict`, `RequestInProgress`, `Unavailable`.
        """

    def bear(self, request_id: str, at: datetime) -> Hold:
        """Begin what the `HOUSE` pays itself: nothing is reserved; `void` ends it."""

    def underway(self, hold: Hold, draft: Settlement | FailedRequest) -> None:
        """Note what the request comes to if nothing more is heard of it; called before its provider is, and again.

        What a `Settlement` says was delivered is paid for, a `FailedRequest` charges nobody. Nobody waits here; see
        `keeps` and `durable`. Raises `Unavailable` when nothing can be noted any more.
        """

    def keeps(self, hold: Hold) -> bool:
        """Whether the hold's last draft would already survive the death of this process, if not of the machine.

        Its provider is not called before; where this says no, `durable` is waited for.
        """

    async def durable(self, hold: Hold) -> None:
        """Wait until the hold and its last draft would survive power loss; no byte leaves to the caller before.

        Raises `Unavailable`.
        """

    async def settle(self, settlement: Settlement, *, remember: Remember | None = None) -> Charge:
        """Resolve the hold with charge, receipt and usage row; a repeat returns the first charge.

        Durable on return, and the hold with it. Raises `NotFound` when nothing was held, `Unavailable`.
        """

    async def void(self, failed: FailedRequest) -> None:
        """Resolve the hold without a charge; durable on return; frees its idempotency key. Repeating does nothing."""
