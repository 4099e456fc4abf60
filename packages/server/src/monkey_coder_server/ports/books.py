"""What the ledger database does for a process that admits requests by itself: few calls, batched, safe to repeat.

A process leases slices of wallets and holds against them in memory; the journal keeps what came of each request until
`ship` has brought it here. Amounts are nano-dollars. Every call may be repeated after an unknown end (a connection lost
in the middle of a commit): ids are the caller's, counts are cumulative, so a repeat changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.ledger import Charge, FailedRequest, Hold, HoldRequest, Replay, Settlement, Wallet
from monkey_coder_server.ports.record import Record


class LeaseWish(Record, frozen=True):
    """Ask for up to `wanted`, at least `least`, of an account's credit for requests of one key.

    `instance` names the process. `at` decides the periods of the caps it counts for. After `expires_at` nothing may be
    admitted on the lease, and a process not heard of by then is taken for dead.
    """

    lease_id: str
    account_id: str
    key_id: str
    instance: str
    wanted: int
    least: int
    at: datetime
    expires_at: datetime


class Lease(Record, frozen=True):
    """A slice of a wallet, reserved in the wallet and in every money cap that counts for the key.

    `balance` and `available` are the wallet's after it, the latter without what other leases still hold.
    """

    lease_id: str
    account_id: str
    key_id: str
    amount: int
    at: datetime
    expires_at: datetime
    balance: int
    available: int


class Resolved(Record, frozen=True):
    """How one request ended, as the journal keeps it and `ship` books it.

    `lease_id` is None for a hold that was placed in the books directly. `charged` is what the caller was told (0 for a
    failure); `result` is what an idempotent repeat returns.
    """

    hold: HoldRequest
    lease_id: str | None
    ending: Settlement | FailedRequest
    charged: int = 0
    result: bytes | None = None


class Books(Protocol):
    """The ledger database. Every method raises `Unavailable` when it cannot be reached."""

    async def place(self, request: HoldRequest) -> Hold | Replay:
        """Hold directly, durable on return; the errors are those of `Ledger.hold`."""

    async def lease(self, wish: LeaseWish) -> Lease | None:
        """Take a slice, of at most a fair share of what is free; None when that is less than `least`.

        None as well for a key under a limit that leases do not carry (tokens, one model): hold directly.
        """

    async def give_back(self, lease_id: str, returned: int) -> None:
        """Return unused credit: `returned` is the sum of all that was given back of this lease so far.

        It answers a `recall`, even with nothing new. A lease with nothing left is closed.
        """

    async def extend(self, instance: str, expires_at: datetime) -> Collection[str]:
        """Let the leases of a living process last longer; those it still has."""

    async def recall(self, account_id: str, instance: str, *, key_id: str | None = None) -> int:
        """Ask all other processes to give back what they do not need of this wallet; how many leases that concerns.

        With a key, only its leases: no other count for what limits it.
        """

    async def recalled(self, instance: str) -> Sequence[str]:
        """The leases of this process that others asked for."""

    async def ship(self, batch: Sequence[Resolved]) -> Mapping[str, str]:
        """Book what came of requests, each exactly once by its request id; durable on return.

        A request whose lease or hold was given up meanwhile is charged from what the wallet has free, else the house
        bears it. An ending that contradicts the books is kept aside in them and keeps no other from being booked: the
        reason is returned by request id. When this returns, all of the batch can be forgotten.
        """

    async def charge(self, request_id: str) -> Charge | None:
        """The charge of a request that is booked already."""

    async def wallet(self, account_id: str) -> Wallet:
        """Balance and holds as booked."""

    async def expire_leases(self, now: datetime) -> int:
        """Return what is left of leases whose process was not heard of for long; how many leases."""

    async def end_leases(self, instance: str) -> int:
        """Return what is left of all leases of a process that is dead and whose endings are booked; how many."""
