"""What every way of keeping limits promises, and what only a fleet on one bank does."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from monkey_coder_server.adapters.limiter.quotas import LimiterQuotas, Pass
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.domain.quota import CELL, WINDOW
from monkey_coder_server.domain.rates import Measure
from monkey_coder_server.ports.quotas import Quotas, Refusal, Take
from packages.server.tests.adapters.limiter.worlds import Process, World, bound
from packages.server.tests.redis_server import SHARED, own_prefix

pytestmark = pytest.mark.system
REQUESTS, TOKENS, PLACES = bound(Measure.REQUESTS, 8), bound(Measure.TOKENS, 100), bound(Measure.CONCURRENCY, 2)
Wait = Callable[[float], Awaitable[None]]


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    store = RedisStore(SHARED, prefix=own_prefix())
    await store.open()
    yield World(store, [REQUESTS, TOKENS, PLACES], seed=1)
    await store.close()


@pytest_asyncio.fixture(params=["alone", "bank"])
async def kept(request: pytest.FixtureRequest, world: World) -> tuple[Quotas, Wait]:
    if request.param == "alone":
        return LimiterQuotas(lambda: world.now), world.pass_time
    process = await world.join()
    await world.pass_time(3.0)
    return process.quotas, world.pass_time


def takes(requests: int = 1, tokens: int = 10, places: int = 1) -> list[Take]:
    return [Take(REQUESTS, requests), Take(TOKENS, tokens), Take(PLACES, places)]


async def admitted(quotas: Quotas, wanted: list[Take]) -> Pass:
    found = await quotas.admit(wanted)
    assert isinstance(found, Pass)
    return found


async def test_all_or_nothing_is_taken_and_given_back(kept: tuple[Quotas, Wait]) -> None:
    quotas, wait = kept
    first = await admitted(quotas, takes(tokens=60))
    refused = await quotas.admit(takes(tokens=41))
    assert isinstance(refused, Refusal)
    assert (refused.standing.bound, refused.standing.left) == (TOKENS, 40)
    assert 55 < refused.retry_after <= WINDOW + CELL
    assert quotas.standing(REQUESTS).left == 7
    first.settle(20)
    first.settle(0)
    second = await admitted(quotas, takes(tokens=80))
    third = await admitted(quotas, takes(tokens=0))
    full = await quotas.admit(takes(tokens=0))
    assert isinstance(full, Refusal)
    assert full.standing.bound == PLACES
    second.cancel()
    third.cancel()
    assert [quotas.standing(each).left for each in (REQUESTS, TOKENS, PLACES)] == [7, 80, 2]
    assert isinstance(await quotas.admit(takes(tokens=101)), Refusal)
    await wait(WINDOW + CELL)
    assert [quotas.standing(each).left for each in (REQUESTS, TOKENS, PLACES)] == [8, 100, 2]


async def test_fixed_shares_of_one_host_come_to_the_limit(world: World) -> None:
    def one(place: int) -> LimiterQuotas:
        return LimiterQuotas(lambda: world.now, place=(place, 3))

    hosts = [one(place) for place in range(3)]
    served = 0
    for quotas in hosts:
        while isinstance(await quotas.admit([Take(REQUESTS, 1)]), Pass):
            served += 1
    assert served == 8


async def test_one_caller_of_any_process_gets_the_whole_limit(world: World) -> None:
    fleet = [await world.join() for _ in range(4)]
    await world.pass_time(3.0)
    for turn in range(8):
        assert isinstance(await fleet[turn % 4].quotas.admit([Take(REQUESTS, 1)]), Pass), turn
    assert isinstance(await fleet[0].quotas.admit([Take(REQUESTS, 1)]), Refusal)


async def test_what_is_not_used_goes_back_and_what_is_idle_is_forgotten(world: World) -> None:
    first, second = await world.join(), await world.join()
    await world.pass_time(3.0)
    await world.ask(first)
    await first.branch.stop()
    world.processes.remove(first)
    for _ in range(7):
        assert isinstance(await second.quotas.admit([Take(REQUESTS, 1)]), Pass)
    assert second.branch.parts
    await world.pass_time(WINDOW + 130)
    assert not second.branch.parts


AMPLE = bound(Measure.REQUESTS, 8_000)
"""Nobody comes near it."""


async def _served(process: Process, requests: int) -> int:
    found = [await process.quotas.admit([Take(AMPLE, 1)]) for _ in range(requests)]
    return sum(isinstance(each, Pass) for each in found)


async def test_one_that_joined_later_serves_on_without_the_bank_what_nobody_is_short_of(world: World) -> None:
    first = await world.join()
    await world.pass_time(3.0)
    assert await _served(first, 2) == 2
    later = await world.join()
    await world.pass_time(3.0)
    assert await _served(later, 1) == 1
    world.dead = True
    assert await _served(later, 100) == 100


async def test_a_bank_that_forgets_and_dies_leaves_everybody_what_they_had(world: World) -> None:
    fleet = [await world.join() for _ in range(3)]
    await world.pass_time(3.0)
    for process in fleet:
        assert await _served(process, 1) == 1
    await world.flush()
    await world.pass_time(1.0)
    world.dead = True
    await world.pass_time(1.0)
    assert [await _served(process, 100) for process in fleet] == [100, 100, 100]
