"""Gateways that end, in order or not, and one that begins with nothing in memory."""

import asyncio
import signal
import time
from functools import partial
from pathlib import Path

import aiohttp

from tests.hosts.asking import call, ready, work
from tests.hosts.changes import new_key
from tests.hosts.finding import Fault, Finding
from tests.hosts.house import Gateway, Hosts
from tests.hosts.load import READY, Balanced, cut, told
from tests.hosts.outages import CONNECTIONS, COUNT
from tests.outages.asking import Asked, ask
from tests.outages.house import PLENTY, account_of

STREAMS = 200
HERD, OF_AN_ACCOUNT, AT_ONCE = 900, 180, 20
"""Keys in all, and of one account, which may have 200."""
OTHERS_SECONDS = 3.0
"""In which the others have to serve beside one that was killed."""
TOLD_SECONDS = 1.0
"""A balancer that asks every second has no reason to ask twice."""
SKEWED = Path(__file__).with_name("skewed")
SWEPT_SECONDS = 65.0
TAKEN = "SELECT count(*) FROM leases WHERE state = 'expired'"
LEASED = "SELECT instance, count(*) FROM leases WHERE state = 'open' GROUP BY instance"


async def rolling(house: Hosts, load: Balanced, finding: Finding) -> None:
    """One gateway after the other is told to end (SIGTERM) and begins anew; nobody's stream is cut."""
    await load.warm()
    began, codes, red = time.monotonic(), [], []
    for gateway in house.gateways:
        code, seconds = await _restarted(gateway)
        codes.append(code)
        red.append(seconds)
        while (await ready(gateway.door)).status != READY:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.05)
    found = load.since(began)
    finding.measured(
        "served", f"{found.served}/{found.asked}{told(found)}", right=found.served > 0 and not found.errors
    )
    finding.measured("cut", cut(found), right=not cut(found))
    finding.measured("exit codes", codes, right=set(codes) == {0})
    finding.seen("health red in", red, within=TOLD_SECONDS)
    leased = await asyncio.to_thread(house.read, LEASED)
    finding.measured("processes with leases", len(leased), right=len(leased) <= house.processes)


async def _restarted(gateway: Gateway, **more: str) -> tuple[int, float]:
    """End it in order and start it again: its exit code, and how long it still said that it was ready."""
    gateway.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    while (await ready(gateway.door)).status == READY:  # noqa: ASYNC110 - it rings no bell
        await asyncio.sleep(0.005)
    red = time.monotonic() - told
    code = await asyncio.to_thread(gateway.end)
    await asyncio.to_thread(partial(gateway.start, **more))
    return code, red


def clock(ahead_seconds: int) -> Fault:
    """A gateway's clock is wrong for longer than it takes until everybody has looked for what is past its time."""

    async def fault(house: Hosts, load: Balanced, finding: Finding) -> None:
        await load.warm()
        gateway, began = house.hosts[1].gateways[0], time.monotonic()
        await _restarted(gateway, PYTHONPATH=str(SKEWED), CLOCK_AHEAD_SECONDS=str(ahead_seconds))
        await asyncio.sleep(SWEPT_SECONDS)
        found = load.since(began)
        finding.measured("served", f"{found.served}/{found.asked}{told(found)}", right=found.served > 0)
        finding.measured("cut", cut(found), right=not cut(found))
        [(apart,)] = await asyncio.to_thread(house.read, TAKEN)
        finding.measured("leases that others took back", apart, right=not apart or ahead_seconds < 0)
        await _restarted(gateway)

    return fault


async def killed(house: Hosts, load: Balanced, finding: Finding) -> None:
    """SIGKILL under two hundred streams; its next life on that host ends what it left."""
    await load.warm()
    gateway, (_, key) = house.hosts[1].gateways[0], await new_key(house)
    streams = [Asked(number, "killed", gateway.door, "openai/gpt-4.1-mini", True, False) for number in range(STREAMS)]
    asking = [asyncio.create_task(_stream(one, key)) for one in streams]
    await asyncio.sleep(1)
    began = time.monotonic()
    await asyncio.to_thread(gateway.kill)
    await asyncio.gather(*asking)
    await asyncio.sleep(OTHERS_SECONDS)
    broken = sum(1 for one in streams if not one.served)
    finding.measured("streams cut by it", broken, right=broken > 0)
    others = load.since(began, doors=tuple(door for door in house.doors if door != gateway.door))
    finding.measured(
        "others served", f"{others.served}/{others.asked}{told(others)}", right=others.served > 0 and not others.errors
    )
    await asyncio.to_thread(gateway.start)
    again = await asyncio.gather(*(work(gateway.door, key) for _ in range(20)))
    finding.measured(
        "served in its next life",
        sum(1 for one in again if one.status == READY),
        right=all(one.status == READY for one in again),
    )


async def _stream(one: Asked, key: str) -> None:

    headers = {"authorization": f"Bearer {key}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await ask(session, one)


async def herd(house: Hosts, _load: Balanced, finding: Finding) -> None:
    """A gateway that has just begun is asked by nine hundred keys at once."""
    keys: list[str] = []
    for number in range(HERD // OF_AN_ACCOUNT):
        made = await asyncio.to_thread(account_of, house.environment, f"herd-{number}", PLENTY)
        for _ in range(OF_AN_ACCOUNT // AT_ONCE):
            fresh = await asyncio.gather(*(new_key(house, made["api_key"]) for _ in range(AT_ONCE)))
            keys += [key for _, key in fresh]
    gateway = house.hosts[0].gateways[-1]
    await _restarted(gateway)
    most = [0]
    looking = asyncio.create_task(_count(house, most))
    begun = time.monotonic()
    took: list[float] = []

    async def one(key: str) -> int:
        status = (await call(gateway.door, "GET", "/anthropic/v1/models", key)).status
        took.append(time.monotonic() - begun)
        return status

    statuses = await asyncio.gather(*(one(key) for key in keys))
    looking.cancel()
    finding.measured("answered", f"{statuses.count(READY)}/{HERD}", right=set(statuses) == {READY})
    p99 = sorted(took)[int(0.99 * HERD)]
    finding.measured("p99", f"{p99:.1f} s", right=p99 < 10)
    finding.measured("connections", max(most), right=max(most) <= CONNECTIONS * house.processes)


async def _count(house: Hosts, most: list[int]) -> None:
    while True:
        [(found,)] = await asyncio.to_thread(house.read, COUNT)
        most.append(found)
        await asyncio.sleep(0.05)
