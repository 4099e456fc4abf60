"""A world without weather: one account, and requests whose every step a test says."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import Charge, Hold, HoldRequest
from packages.server.tests.adapters.leasing import stepping
from packages.server.tests.adapters.leasing.doubles import FaultyBooks, LoopClock
from packages.server.tests.adapters.leasing.simulated import Process, World
from packages.server.tests.contract.booking import failure, settlement

ACCOUNT = "acc_1"
NEVER = 1_000_000.0
"""Seconds, longer than any scene."""


class SilentBooks(FaultyBooks):
    """Books that take endings only when they are told to; before that they do not even answer."""

    speaks = False

    async def ship(self, batch: Sequence[Resolved]) -> dict[str, str]:
        while not self.speaks:
            await self._life.some_time(1.0)
        await super().ship(batch)
        return {}


class DeafBooks(FaultyBooks):
    """Books that take the first endings they are brought and never answer."""

    deaf = True

    async def ship(self, batch: Sequence[Resolved]) -> dict[str, str]:
        await super().ship(batch)
        if self.deaf:
            self.deaf = False
            await asyncio.sleep(NEVER)
        return {}


def run(scene: Callable[[World], Coroutine[Any, Any, None]], *, granted: int = 1_000) -> World:
    """Play a scene to its end."""
    world = World(1, random.Random(1))
    world.bank.grant(ACCOUNT, granted)

    async def main(_: stepping.SteppingLoop) -> None:
        await scene(world)

    stepping.run(world.seed, main)
    world.bank.check_all()
    return world


async def ask(process: Process, amount: int = 100, **changes: Any) -> HoldRequest:
    """A request that is held for, and known to the journal. Raises what `hold` raises."""
    now = changes.pop("now", None) or LoopClock().now()
    number = process.world.number()
    request = HoldRequest(f"req_{number:026d}", ACCOUNT, "key_1", amount, now, now + timedelta(minutes=10), **changes)
    held = await process.ledger.hold(request)
    assert isinstance(held, Hold)
    process.ledger.underway(held, failure(request))
    return request


async def serve(process: Process, request: HoldRequest, price: int = 60) -> Charge:
    return await process.ledger.settle(settlement(request, price=price, provider_cost=0))


async def serve_some(process: Process, count: int, **changes: Any) -> None:
    """Requests one after another: from the second on they are held for from a lease."""
    for _ in range(count):
        await serve(process, await ask(process, **changes))
