"""Ways a database goes away and comes back, and what was seen meanwhile."""

import asyncio
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tests.outages.house import House
from tools.postgresql import Cluster

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Way:
    """How the server is taken away, and how it is given back."""

    name: str
    take: Callable[[Cluster], None]
    give: Callable[[Cluster], None]


def _stop(cluster: Cluster) -> None:
    cluster.stop("immediate")


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        way.name: way
        for way in (
            Way("stop", _stop, Cluster.start),
            Way("kill", Cluster.kill, Cluster.start),
            Way("pause", Cluster.pause, Cluster.resume),
        )
    }
)


@dataclass(slots=True)
class Outage:
    """Monotonic seconds; `back` is when the server answered again. `ready`: how often each gateway said what."""

    way: str
    gone: float
    back: float = 0.0
    ready: Counter[int] = field(default_factory=Counter)


async def outage(house: House, way: Way, *, seconds: float) -> Outage:
    """Take the server away for so long, and look at what the gateways say of themselves."""
    seen = Outage(way.name, time.monotonic())
    await asyncio.to_thread(way.take, house.cluster)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for door in house.doors:
            seen.ready[await asyncio.to_thread(_ready, door)] += 1
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.to_thread(way.give, house.cluster)
    seen.back = time.monotonic()
    return seen


def _ready(door: str) -> int:
    """The status of `/health/ready`."""
    try:
        with urllib.request.urlopen(f"{door}/health/ready", timeout=10) as reply:  # noqa: S310 - a loopback address
            status: int = reply.status
            return status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
