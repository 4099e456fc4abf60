"""How often something that can be guessed may be tried, so that guessing fails and nobody is locked out for good.

Tries are counted, and the count runs down with time. Up to `free` of them nothing is asked; then each must wait after
the one before it, twice as long every time up to `longest`. Whole microseconds throughout.
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

SECOND = 1_000_000
_MOST_DOUBLINGS = 40
_NETWORK_OF_ONE_HOUSEHOLD = 64
"""Bits of an IPv6 address by which providers tell customers apart (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`forgotten_after`: in so much time the count runs down by one. `first` is the wait for the first try too many."""

    free: int
    forgotten_after: int
    first: int
    longest: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`clear_at`: when the count will have run down to nothing. `last_at`: the last try that was counted."""

    clear_at: int
    last_at: int


NEVER_TRIED = Standing(0, 0)


def not_ahead(standing: Standing, now: int) -> Standing:
    """As it stands where the clock was set back since the last try: what is to come must not keep anybody waiting."""
    ahead = standing.last_at - now
    return standing if ahead <= 0 else Standing(standing.clear_at - ahead, now)


def count(standing: Standing, allowance: Allowance, now: int) -> int:
    """How many tries are remembered; one that is partly forgotten still counts."""
    return max(0, -((now - standing.clear_at) // allowance.forgotten_after))


def wait(standing: Standing, allowance: Allowance, now: int) -> int:
    """How long the next try has to wait; 0: it may come."""
    beyond = count(standing, allowance, now) - allowance.free
    if beyond < 0:
        return 0
    delay = min(allowance.first << min(beyond, _MOST_DOUBLINGS), allowance.longest)
    return max(0, standing.last_at + delay - now)


def tried(standing: Standing, allowance: Allowance, now: int) -> Standing:
    """With one more try."""
    return Standing(max(standing.clear_at, now) + allowance.forgotten_after, now)


def given_back(standing: Standing, allowance: Allowance) -> Standing:
    """With one try less: it was none."""
    return Standing(standing.clear_at - allowance.forgotten_after, standing.last_at)


def mailbox_of(address: str) -> str:
    """Where mail to an address ends up at the great providers: what follows a `+`, and dots, make no other mailbox."""
    name, _, host = address.strip().casefold().rpartition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{host}"


def place_of(address: str) -> str:
    """The part of a network address that one household has to itself; what is no address stands for itself."""
    try:
        where = ip_address(address)
    except ValueError:
        return address
    if where.version == 6 and where.ipv4_mapped is None:
        return str(ip_network((int(where), _NETWORK_OF_ONE_HOUSEHOLD), strict=False))
    return str(getattr(where, "ipv4_mapped", None) or where)
