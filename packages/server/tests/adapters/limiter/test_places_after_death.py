"""A bank that dies at any moment of a steady crowd leaves nearly all places to be used by those that wait for them."""

import pytest

from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.domain.quota import LAPSE
from monkey_coder_server.domain.rates import Measure
from packages.server.tests.adapters.limiter.worlds import World, bound

pytestmark = pytest.mark.system
PLACES = 40
PROCESSES = 4
STEP = 0.1
LEAST_USABLE = 0.98


async def crowd(world: World, seconds: float) -> None:
    """More clients than places at every process, which come back a while after they were answered or refused.

    So a process has a moment now and then in which many of its answers have ended and few of its clients are back.
    """
    ends = world.now + seconds
    while world.now < ends:
        for process in world.processes:
            dips = world.chance.random() < 0.05
            over = len(process.running) * 7 // 10 if dips else world.chance.randint(0, min(1, len(process.running)))
            for _ in range(over):
                world.end(process, 1.0)
            for _ in range(0 if dips else 4):
                await world.ask(process)
        await world.pass_time(STEP)


@pytest.mark.parametrize("seed", range(8))
async def test_nearly_all_places_are_used_after_the_bank_died(redis: RedisStore, seed: int) -> None:
    world = World(redis, [bound(Measure.CONCURRENCY, PLACES)], seed)
    for _ in range(PROCESSES):
        await world.join()
    await world.pass_time(3.0)
    await crowd(world, world.chance.uniform(8.0, 16.0))
    world.dead = True
    await crowd(world, LAPSE + 2.0)
    for process in world.processes:
        while await world.ask(process):
            pass
    assert sum(len(process.running) for process in world.processes) >= LEAST_USABLE * PLACES
