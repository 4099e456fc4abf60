"""Leases: how much of a wallet a process sets aside for one key, and what requests take of it and give back.

Pure: time comes in as a moment, a UTC day (`2026-11-23`) or whole monotonic seconds. Amounts are nano-dollars. Of a
lease, `amount` = free + held + charged + returned at every moment; what is returned never comes back.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

LEASE_SECONDS = 60
"""How long a window of demand is."""
COVERED_SECONDS = 90
"""The spending of so long is covered by what is left at the least, even if nothing could be topped up meanwhile."""
LEASE_LIFE = timedelta(minutes=15)
"""How long a process may be silent before its leases are taken for abandoned."""
EXPIRY_MARGIN = timedelta(minutes=2)
"""Nothing is admitted so shortly before the end: clocks differ, and requests have to end before it, too."""
IDLE_SECONDS = 10
"""A lease that nothing was taken from for so long is given back."""
REQUESTS_FOR_A_LEASE = 2
"""A key that asks less often, within `LEASE_SECONDS`, is held for directly."""
CONTENDED_SECONDS = 5
"""How long a wallet that others need, or that has no fair share to give, is held from directly."""


_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""


class Slice(NamedTuple):
    """A lease as its process sees it; the books learn of `held` and `charged` only when a request has ended."""

    lease_id: str
    amount: int
    day: str
    """The UTC day whose limits it counts for."""
    expires_at: datetime
    held: int = 0
    charged: int = 0
    returned: int = 0
    retired: bool = False
    """Nothing is taken from it any more, and whatever comes free is given back."""

    @property
    def free(self) -> int:
        """What a new request can take."""
        return self.amount - self.held - self.charged - self.returned

    @property
    def left(self) -> int:
        """What is free or comes free as far as running requests cost less than they hold."""
        return self.amount - self.charged - self.returned


def over(lease: Slice, day: str, now: datetime) -> bool:
    """Whether its time has passed: another day's limits count, or others may soon take its process for dead."""
    return lease.day != day or now >= lease.expires_at - EXPIRY_MARGIN


def take(lease: Slice, amount: int, *, day: str, now: datetime) -> Slice | None:
    """The lease with `amount` held for a request; None when it cannot or must not cover it."""
    if lease.retired or not 0 <= amount <= lease.free or over(lease, day, now):
        return None
    return _moved(lease, lease.held + amount, lease.charged)


def end(lease: Slice, amount: int, *, charged: int) -> Slice:
    """The lease after a request that held `amount` was charged `charged` of it, 0 when it failed."""
    if not 0 <= charged <= amount <= lease.held:
        message = f"{lease.lease_id}: charged {charged} of {amount}, while {lease.held} is held"
        raise ValueError(message)
    return _moved(lease, lease.held - amount, lease.charged + charged)


def _moved(lease: Slice, held: int, charged: int) -> Slice:
    """The lease with other figures; made directly, for every request moves it twice."""
    lease_id, amount, day, expires_at, _, _, returned, retired = lease
    return _new(Slice, (lease_id, amount, day, expires_at, held, charged, returned, retired))


def give_back(lease: Slice) -> Slice:
    """The lease with nothing free: it is returned."""
    return lease._replace(returned=lease.returned + lease.free)


def retire(lease: Slice) -> Slice:
    """The lease as it ends: nothing more is taken, everything free is returned."""
    return give_back(lease)._replace(retired=True)


class Demand(NamedTuple):
    """What one key asks of a process: what its requests hold now, and the last two windows of `LEASE_SECONDS`.

    `peak` is the most that was held at once, `charges` what was charged, `requests` how many asked.
    """

    window: int = 0
    held: int = 0
    requests: int = 0
    peak: int = 0
    charges: int = 0
    requests_before: int = 0
    peak_before: int = 0
    charges_before: int = 0


def asked(demand: Demand, amount: int, second: int) -> Demand:
    """The demand when a request wants to hold `amount`."""
    window, held, requests, peak, *charges = _at(demand, second)
    held += amount
    return _new(Demand, (window, held, requests + 1, max(peak, held), *charges))


def ended(demand: Demand, amount: int, *, charged: int, second: int) -> Demand:
    """The demand when a request that held, or wanted, `amount` is over."""
    window, held, requests, peak, charges, *before = _at(demand, second)
    return _new(Demand, (window, held - amount, requests, peak, charges + charged, *before))


def _at(demand: Demand, second: int) -> Demand:
    """The demand in the window of a second."""
    window = second // LEASE_SECONDS
    if window == demand.window:
        return demand
    if window == demand.window + 1:
        return Demand(window, demand.held, 0, demand.held, 0, demand.requests, demand.peak, demand.charges)
    return Demand(window, demand.held, 0, demand.held)


def deserves_lease(demand: Demand, second: int) -> bool:
    """Whether the key asks often enough that a lease is worth its trouble."""
    demand = _at(demand, second)
    return demand.requests + demand.requests_before >= REQUESTS_FOR_A_LEASE


def target(demand: Demand, second: int) -> int:
    """How large a lease should be: twice what is held at once at most, and twice the charges of `COVERED_SECONDS`.

    Half of it, below which it is topped up, still covers both once.
    """
    demand = _at(demand, second)
    rest = LEASE_SECONDS - second % LEASE_SECONDS
    recent = demand.charges + demand.charges_before * rest // LEASE_SECONDS
    return 2 * (max(demand.peak, demand.peak_before) + recent * COVERED_SECONDS // LEASE_SECONDS)


def needs_more(left: int, wanted: int) -> bool:
    """Whether what is left of all leases of a key should be topped up to what is `wanted`."""
    return 2 * left < wanted
