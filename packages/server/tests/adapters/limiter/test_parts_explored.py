"""Whatever happens to the bank and to processes, what is used and what could be used by itself stays within a limit."""

import os
from collections.abc import Awaitable, Callable

import pytest

from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.domain.rates import Measure
from packages.server.tests.adapters.limiter.worlds import Process, World, bound

pytestmark = pytest.mark.system
LIMITS = [bound(Measure.REQUESTS, 100), bound(Measure.TOKENS, 1500), bound(Measure.CONCURRENCY, 30)]


async def step(world: World) -> None:
    """Something happens."""
    chance = world.chance
    [happens] = chance.choices(list(EVENTS), list(EVENTS.values()))
    await happens(world, chance.choice(world.processes))
    world.check()


async def asks(world: World, process: Process) -> None:
    for _ in range(world.chance.choice((1, 1, 2, 20))):
        await world.ask(process)


async def ends(world: World, process: Process) -> None:
    for _ in range(world.chance.randint(0, len(process.running))):
        world.end(process, world.chance.random())


async def time_passes(world: World, _process: Process) -> None:
    await world.pass_time(world.chance.choice((0.05, 0.1, 0.3, 1.0, 5.0)))


async def bank_dies_or_comes_back(world: World, _process: Process) -> None:
    if not world.dead:
        world.dead = True
        return
    await world.pass_time(world.chance.choice((0.0, 0.0, 1.5, 9.0, 11.0, 40.0, 80.0)))
    world.dead = False


async def bank_forgets_all(world: World, _process: Process) -> None:
    await world.flush()


async def bank_hangs(world: World, process: Process) -> None:
    """For one process, for less than the time in which the others take it for gone."""
    process.store.deaf = world.chance.choice((0.3, 1.0))
    await world.pass_time(world.chance.choice((0.1, 1.0, 5.0)))
    process.store.deaf = 0.0
    await world.pass_time(0.1)


async def one_joins(world: World, _process: Process) -> None:
    if len(world.processes) < 5 and not world.dead:
        await world.join()


async def one_dies(world: World, process: Process) -> None:
    if len(world.processes) > 2:
        world.processes.remove(process)
        world.gone.append(process)


EVENTS: dict[Callable[[World, Process], Awaitable[None]], int] = {
    asks: 50,
    ends: 15,
    time_passes: 15,
    bank_dies_or_comes_back: 6,
    bank_forgets_all: 2,
    bank_hangs: 6,
    one_joins: 3,
    one_dies: 3,
}


@pytest.mark.parametrize("seed", range(40 if os.environ.get("EXPLORE") else 6))
async def test_no_limit_is_ever_exceeded(redis: RedisStore, seed: int) -> None:
    world = World(redis, LIMITS, seed)
    for _ in range(3):
        await world.join()
    await world.pass_time(3.0)
    for _ in range(150):
        await step(world)
