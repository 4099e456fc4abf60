"""What becomes of the servers, and of the wires to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from tests.hosts.asking import ready, until, work
from tests.hosts.finding import Fault, Finding
from tests.hosts.house import Hosts
from tests.hosts.load import READY, Balanced, cut, told
from tests.outages.findings import meanwhile
from tests.outages.outages import WAYS, outage

AWAY_SECONDS = 5.0
"""Shorter than the bound within which keys have to be known: requests within leases go on."""
SLOW_SECONDS = 5.0
LONGEST_SECONDS = 25.0
"""Nobody waits longer, whatever the database does: what the writer promises, and a busy machine beside it."""
CONNECTIONS = 7
"""Of a gateway, at most."""
REFUSALS = {"unavailable", "insufficient_credit", "budget_exceeded"}
"""503 with a time to come back, and what limited keys are told as ever."""
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'monkey-coder%'"


def database(way: str) -> Fault:
    """The server is stopped, killed or paused, and comes back."""

    async def fault(house: Hosts, load: Balanced, finding: Finding) -> None:
        await load.warm()
        seen = await outage(house, WAYS[way], seconds=AWAY_SECONDS)
        await asyncio.sleep(1)
        found = meanwhile(house, seen, load.asked)
        within, named = found.within, found.named
        finding.measured("without need of the books", f"{within.served}/{within.asked}", right=within.served > 0)
        finding.measured("that need the books", f"{named.served}/{named.asked}, slowest {named.longest:.1f} s")
        refused = found.limited.errors.keys() | named.errors.keys() | within.errors.keys()
        finding.measured("refused as", sorted(refused), right=refused <= REFUSALS)
        slowest = max(within.longest, named.longest, found.limited.longest)
        finding.measured("slowest", f"{slowest:.1f} s", right=slowest < LONGEST_SECONDS)
        finding.measured("ready", dict(seen.ready))
        await _all_ready(house, finding)

    return fault


async def slow_database(house: Hosts, load: Balanced, finding: Finding) -> None:
    """Everything it says comes five seconds late, to both hosts."""
    await load.warm()
    began = time.monotonic()
    for host in house.hosts:
        host.to_postgresql.delay = SLOW_SECONDS
    await asyncio.sleep(2 * AWAY_SECONDS)
    for host in house.hosts:
        host.to_postgresql.mend()
    await asyncio.sleep(2)
    found = load.since(began)
    finding.measured("served", f"{found.served}/{found.asked}{told(found)}")
    finding.measured("cut", cut(found), right=not cut(found))
    finding.measured("slowest", f"{found.longest:.1f} s", right=found.longest < LONGEST_SECONDS)
    await _all_ready(house, finding)
    [(connections,)] = await asyncio.to_thread(house.read, COUNT)
    finding.measured("connections", connections, right=connections <= CONNECTIONS * house.processes)


async def without_redis(
    house: Hosts, load: Balanced, finding: Finding, break_it: Callable[[Hosts], Awaitable[None]]
) -> None:
    """Money is not kept there: every request is served as if nothing was."""
    await load.warm()
    began = time.monotonic()
    await break_it(house)
    await asyncio.sleep(1)
    found = await load.running(began, time.monotonic(), doors=house.doors)
    finding.measured("served", f"{found.served}/{found.asked}{told(found)}", right=not found.errors)
    finding.measured("slowest", f"{found.longest:.1f} s", right=found.longest < LONGEST_SECONDS)


async def _redis_down(house: Hosts) -> None:
    house.redis.cli("SHUTDOWN", "NOSAVE")
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(house.redis.start)


async def _redis_killed(house: Hosts) -> None:
    house.redis.kill()
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(house.redis.start)


async def _redis_paused(house: Hosts) -> None:
    house.redis.pause()
    await asyncio.sleep(AWAY_SECONDS)
    house.redis.resume()


async def _redis_flushed(house: Hosts) -> None:
    for _ in range(10):
        house.redis.cli("FLUSHALL")
        await asyncio.sleep(0.2)


async def _redis_slow(house: Hosts) -> None:
    for host in house.hosts:
        host.to_redis.delay = SLOW_SECONDS
    await asyncio.sleep(AWAY_SECONDS)
    for host in house.hosts:
        host.to_redis.mend()


async def _redis_cut_off(house: Hosts) -> None:
    wire = house.hosts[1].to_redis
    wire.silent = True
    await asyncio.sleep(AWAY_SECONDS)
    wire.mend()


def redis(break_it: Callable[[Hosts], Awaitable[None]]) -> Fault:
    """A fault of Redis."""
    return partial(without_redis, break_it=break_it)


redis_down, redis_killed, redis_paused = redis(_redis_down), redis(_redis_killed), redis(_redis_paused)
redis_flushed = redis(_redis_flushed)
redis_slow, redis_cut_off = redis(_redis_slow), redis(_redis_cut_off)


async def cut_off_from_providers(house: Hosts, load: Balanced, finding: Finding) -> None:
    """One host hears nothing of any provider: what it cannot serve is told so or waits, and costs nothing."""
    await load.warm()
    (here, there), began = house.hosts, time.monotonic()
    there.to_providers.silent = True
    await asyncio.sleep(2 * AWAY_SECONDS)
    others = load.since(began, doors=here.doors)
    there.to_providers.mend()
    mended = time.monotonic()
    finding.measured(
        "the other host served",
        f"{others.served}/{others.asked}{told(others)}",
        right=others.served > 0 and not others.errors,
    )
    finding.seen("serves again in", list(await asyncio.gather(*(_serves(house, door) for door in there.doors))))
    caught = await load.running(began, mended, doors=there.doors)
    finding.measured("caught on it", f"{caught.served}/{caught.asked}{told(caught)}, slowest {caught.longest:.1f} s")


async def unplugged(house: Hosts, load: Balanced, finding: Finding) -> None:
    """One host hears nothing of anybody; who asks goes to the other, and nothing of what it held is lost."""
    await load.warm()
    (here, there), began = house.hosts, time.monotonic()
    there.network.unplug()
    await asyncio.sleep(2 * AWAY_SECONDS)
    others = load.since(began, doors=here.doors)
    there.network.mend()
    mended = time.monotonic()
    right = others.served > 0 and not others.errors
    finding.measured("the other host served", f"{others.served}/{others.asked}{told(others)}", right=right)
    await _all_ready(house, finding)
    finding.seen("serves again in", list(await asyncio.gather(*(_serves(house, door) for door in there.doors))))
    caught = await load.running(began, mended, doors=there.doors)
    finding.measured("caught on it", f"{caught.served}/{caught.asked}{told(caught)}, slowest {caught.longest:.1f} s")


async def _serves(house: Hosts, door: str) -> float:
    """Seconds until every process behind a door serves a key that has plenty."""

    async def asked() -> bool:
        return (await work(door, house.owner)).status == READY

    return await until(asked, within=LONGEST_SECONDS, in_a_row=house.looks)


async def _all_ready(house: Hosts, finding: Finding) -> None:
    """They come back by themselves."""
    until, states = time.monotonic() + LONGEST_SECONDS, [0]
    while time.monotonic() < until and set(states) != {READY}:
        states = [(await ready(door)).status for door in house.doors]
        await asyncio.sleep(0.1)
    finding.measured("ready again", states, right=set(states) == {READY})
