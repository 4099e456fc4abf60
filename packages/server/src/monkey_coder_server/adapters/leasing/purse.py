"""What a process has in hand: the leases of one key, and all of them by key and account."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from monkey_coder_server.domain import leases
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.leases import Demand, Slice
from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.ports.books import LeaseWish
from monkey_coder_server.ports.ledger import HoldRequest


@dataclass(slots=True, eq=False)
class Purse:
    """The leases of one key. Moments are monotonic seconds."""

    account_id: str
    key_id: str
    demand: Demand = field(default_factory=Demand)
    slices: dict[str, Slice] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)
    """By lease, what the books know to be returned of it."""
    growing: "asyncio.Task[GatewayError | None] | None" = None
    unsure: LeaseWish | None = None
    """A lease that may have been given: it is asked for again before any other."""
    patient_until: int = 0
    """No lease is asked for until then: there was nothing to be had."""
    last_asked: int = 0

    def ask(self, amount: int, second: int) -> None:
        """A request wants `amount`."""
        self.last_asked = second
        self.demand = leases.asked(self.demand, amount, second)

    def done(self, amount: int, *, charged: int, second: int) -> None:
        """A request that asked for `amount` is over."""
        self.demand = leases.ended(self.demand, amount, charged=charged, second=second)

    def take(self, request: HoldRequest, now: datetime) -> str | None:
        """Hold for a request; the lease it is held from, None when none covers it."""
        if not self.slices:
            return None
        day = cap_periods(request.at)[0]
        for lease_id, lease in self.slices.items():
            taken = leases.take(lease, request.amount, day=day, now=now)
            if taken is not None:
                self.slices[lease_id] = taken
                return lease_id
        return None

    def end(self, lease_id: str, amount: int, *, charged: int) -> bool:
        """A hold from a lease is over; whether something has to be given back now."""
        after = leases.end(self.slices[lease_id], amount, charged=charged)
        if after.retired:
            after = leases.give_back(after)
        self.slices[lease_id] = after
        return after.retired

    def retire(self, lease_id: str) -> None:
        """Take nothing more from a lease; what is free of it is to be given back."""
        self.slices[lease_id] = leases.retire(self.slices[lease_id])

    def leases_now(self, second: int) -> bool:
        """Whether a lease should be asked for."""
        return second >= self.patient_until and leases.deserves_lease(self.demand, second)

    def wanted(self, second: int) -> int:
        """How much leases should come to; 0 when nothing need be done about it."""
        wanted = leases.target(self.demand, second)
        if self.growing is not None or not leases.needs_more(self.left, wanted) or not self.leases_now(second):
            return 0
        return wanted

    @property
    def left(self) -> int:
        """What can be counted on of the leases that still give."""
        return sum([lease.left for lease in self.slices.values() if not lease.retired])

    @property
    def free(self) -> int:
        """What the books hold for leases and no request holds here."""
        return sum([lease.free for lease in self.slices.values()])

    def gives(self, now: datetime) -> bool:
        """Whether a request could be held from one of the leases."""
        day = cap_periods(now)[0]
        return any(
            lease.free and not lease.retired and not leases.over(lease, day, now) for lease in self.slices.values()
        )

    def to_return(self) -> Iterator[tuple[str, int]]:
        """Leases of which more is returned than the books know: all that was returned."""
        for lease_id, lease in list(self.slices.items()):
            if lease.returned != self.confirmed.get(lease_id, 0):
                yield lease_id, lease.returned

    def confirm(self, lease_id: str, returned: int) -> None:
        """The books know what was returned. A lease with nothing left is let go of: its charges close it."""
        self.confirmed[lease_id] = returned
        lease = self.slices.get(lease_id)
        if lease is not None and lease.retired and not lease.left and lease.returned == returned:
            del self.slices[lease_id], self.confirmed[lease_id]

    def idle(self, second: int) -> bool:
        """Whether nothing was asked of it for a while and nothing runs."""
        return not self.demand.held and second - self.last_asked >= leases.IDLE_SECONDS


class Purses:
    """All leases of a process."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Purse] = {}
        self._by_account: dict[str, dict[str, Purse]] = {}
        self._by_lease: dict[str, Purse] = {}

    def of(self, account_id: str, key_id: str) -> Purse:
        """The purse of a key."""
        purse = self._by_key.get((account_id, key_id))
        if purse is None:
            purse = Purse(account_id, key_id)
            self._by_key[account_id, key_id] = purse
            self._by_account.setdefault(account_id, {})[key_id] = purse
        return purse

    def all(self) -> list[Purse]:
        """Every purse."""
        return list(self._by_key.values())

    def of_account(self, account_id: str) -> list[Purse]:
        """The purses of an account's keys."""
        return list(self._by_account.get(account_id, {}).values())

    def among(self, account_id: str, key_id: str | None) -> list[Purse]:
        """The purses of an account's keys, or that of one of them."""
        return [purse for purse in self.of_account(account_id) if key_id in {None, purse.key_id}]

    def of_lease(self, lease_id: str) -> Purse | None:
        """Whose lease that is."""
        return self._by_lease.get(lease_id)

    def put(self, purse: Purse, lease: Slice) -> None:
        """A lease was taken."""
        purse.slices[lease.lease_id] = lease
        self._by_lease[lease.lease_id] = purse

    def confirm(self, purse: Purse, lease_id: str, returned: int) -> None:
        """The books know what was returned of a lease."""
        purse.confirm(lease_id, returned)
        if lease_id not in purse.slices:
            self._by_lease.pop(lease_id, None)

    def tidy(self, second: int) -> None:
        """Let go of leases that are used up, and forget keys that nobody asks with."""
        for purse in self.all():
            for lease_id, lease in list(purse.slices.items()):
                if lease.retired and not lease.left:
                    self.confirm(purse, lease_id, purse.confirmed.get(lease_id, 0))
            if purse.idle(second) and not purse.slices and purse.growing is None and purse.unsure is None:
                if second - purse.last_asked < leases.LEASE_SECONDS:
                    continue
                del self._by_key[purse.account_id, purse.key_id]
                of_account = self._by_account[purse.account_id]
                del of_account[purse.key_id]
                if not of_account:
                    del self._by_account[purse.account_id]
