"""Callers who go where a balancer sends them: to gateways that say they are ready."""

import asyncio
from collections import Counter

from tests.hosts.asking import ready
from tests.hosts.house import Hosts
from tests.outages.asking import Asked
from tests.outages.findings import Share
from tests.outages.load import Load

LOOK_SECONDS = 0.1
BALANCER_SECONDS = 2.0
"""How long a balancer waits for a gateway to say that it is ready."""
WARM_SECONDS = 120
READY = 200


class Balanced(Load):
    """A steady load on all gateways that are ready; who is used to another door goes to the next that is."""

    def __init__(self, house: Hosts, *, at_once: int = 1) -> None:
        super().__init__(house, at_once=at_once)
        self._doors = house.doors
        self._open = set(house.doors)
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        super().start()
        self._looking = asyncio.create_task(self._look())

    async def warm(self) -> None:
        """Wait until every gateway serves and what was asked before is answered. Raises `TimeoutError`."""
        had = len(self.asked)
        async with asyncio.timeout(WARM_SECONDS):
            while {one.door for one in self.asked[had:] if one.served} != set(self._doors):  # noqa: ASYNC110 - a list
                await asyncio.sleep(LOOK_SECONDS)
            while not all(one.ended for one in self.asked[:had]):  # noqa: ASYNC110 - a list
                await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """Let everybody hear their last answer to the end."""
        await super().stop()
        if self._looking is not None:
            self._looking.cancel()

    def chosen(self, door: str) -> str:
        """The door, or the next one that is open."""
        if door in self._open or not self._open:
            return door
        at = self._doors.index(door)
        return next(other for other in (*self._doors[at:], *self._doors[:at]) if other in self._open)

    def since(self, began: float, *, doors: tuple[str, ...] = ()) -> Share:
        """What became of requests that ended after a moment, at some doors or all, of keys that have plenty."""
        asked = [one for one in self.asked if one.ended > began and one.payer.startswith("steady")]
        return share([one for one in asked if not doors or one.door in doors])

    async def running(self, since: float, until: float, *, doors: tuple[str, ...]) -> Share:
        """What became of requests of keys that have plenty that ran in a while, once all of those have ended.

        Raises `TimeoutError`.
        """
        asked = [one for one in self.asked if one.began < until and not 0 < one.ended < since]
        asked = [one for one in asked if one.door in doors and one.payer.startswith("steady")]
        async with asyncio.timeout(WARM_SECONDS):
            while not all(one.ended for one in asked):  # noqa: ASYNC110 - a list
                await asyncio.sleep(LOOK_SECONDS)
        return share(asked)

    async def _look(self) -> None:
        async def look(door: str) -> None:
            (self._open.add if (await ready(door, within=BALANCER_SECONDS)).status == READY else self._open.discard)(
                door
            )

        async def keep_looking(door: str) -> None:
            while True:
                await look(door)
                await asyncio.sleep(LOOK_SECONDS)

        await asyncio.gather(*(keep_looking(door) for door in self._doors))


def share(asked: list[Asked]) -> Share:
    """What became of some requests."""
    errors = Counter(one.error for one in asked if not one.served)
    longest = max((one.ended - one.began for one in asked), default=0.0)
    return Share(len(asked), len(asked) - errors.total(), errors, longest)


def told(found: Share) -> str:
    """What those were told who were not served, for people."""
    return f" ({', '.join(f'{count} {name}' for name, count in sorted(found.errors.items()))})" if found.errors else ""


def cut(found: Share) -> int:
    """How many streams or answers broke off: neither served nor refused in words."""
    told = {
        "unavailable",
        "service_unavailable",
        "rate_limited",
        "insufficient_credit",
        "budget_exceeded",
        "overloaded",
    }
    return sum(count for name, count in found.errors.items() if name not in told and "ConnectorError" not in name)
