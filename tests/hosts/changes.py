"""What somebody changes while everybody works: seen everywhere, at once."""

import asyncio
from typing import Any

from tests.hosts.asking import call, refused, until, work
from tests.hosts.finding import Finding
from tests.hosts.house import Hosts
from tests.hosts.load import Balanced

WAIT = 30.0
LONG = "[[sandbox output_tokens=10 tokens_per_second=4 first_token_ms=100]]"
PAID, REFUSED = 200, 402
MADE, GONE = {200, 201}, {200, 204}
UNKNOWN = 401


async def new_key(house: Hosts, owner: str = "", **wish: Any) -> tuple[str, str]:
    """The id and the text of a new key of the owner of another, or of the first account; asked for as long as told to.

    Raises `TimeoutError`.
    """
    body = {"name": "another", "rate": 1_000_000, **wish}
    async with asyncio.timeout(WAIT):
        while (made := await call(house.doors[0], "POST", "/v1/keys", owner or house.owner, body)).status not in MADE:  # noqa: ASYNC110 - as told
            await asyncio.sleep(0.1)
    return made.body["key_id"], made.body["key"]


async def revoke(house: Hosts, key_id: str) -> None:
    """Revoke it at the first door, asking again as long as one is told to. Raises `TimeoutError`."""
    async with asyncio.timeout(WAIT):
        path = f"/v1/keys/{key_id}"
        while (await call(house.doors[0], "DELETE", path, house.owner)).status not in GONE:  # noqa: ASYNC110 - as told
            await asyncio.sleep(0.1)


async def key_revoked(house: Hosts, _load: Balanced, finding: Finding) -> None:
    """Refused by every gateway; also when it has just been used there."""
    seconds: list[float] = []
    for _ in range(5):
        key_id, key = await new_key(house)
        used = await asyncio.gather(*(work(door, key) for door in house.doors))
        finding.measured("used before", [one.status for one in used], right=UNKNOWN not in {one.status for one in used})
        await revoke(house, key_id)
        seconds += await asyncio.gather(
            *(refused(door, key, within=WAIT, in_a_row=house.looks) for door in house.doors)
        )
    finding.figures.clear()
    finding.seen("refused everywhere", seconds)


async def cap_lowered(house: Hosts, _load: Balanced, finding: Finding) -> None:
    """By an operator's command, in a process of its own, under the feet of gateways that lease on the key."""
    key_id, key = await new_key(house, caps={"total_usd": "100"})

    async def busy(door: str) -> None:
        for _ in range(20):
            await work(door, key)

    await asyncio.gather(*(busy(door) for door in house.doors))
    whose = ("--email", "a@example.com", "--key", key_id)
    await asyncio.to_thread(_quietly, house, "set-limits", *whose, "--per", "total", "--usd", "0.000001")

    def stopped(door: str) -> Any:
        async def asked() -> bool:
            return (await work(door, key)).status == REFUSED

        return until(asked, within=WAIT, in_a_row=house.looks)

    finding.seen("refused everywhere", list(await asyncio.gather(*(stopped(door) for door in house.doors))))


async def price_changed(house: Hosts, _load: Balanced, finding: Finding) -> None:
    """A markup set in another process: charged everywhere; what runs is charged what it was held at."""
    _, key = await new_key(house)
    before = {(await work(door, key)).cost for door in house.doors}
    long = {(await work(door, key, LONG)).cost for door in house.doors}
    running = [asyncio.create_task(work(door, key, LONG)) for door in house.doors]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(_quietly, house, "markups", "set", "--percent", "300", "--reason", "a test")

    def changed(door: str) -> Any:
        async def asked() -> bool:
            answer = await work(door, key)
            return answer.status == PAID and answer.cost not in before

        return until(asked, within=WAIT, in_a_row=house.looks)

    finding.seen("charged everywhere", list(await asyncio.gather(*(changed(door) for door in house.doors))))
    held = {(await one).cost for one in running}
    finding.measured("in flight charged as held", sorted(held), right=held == long)


async def cut_off_and_revoked(house: Hosts, load: Balanced, finding: Finding) -> None:
    """One host hears nothing from PostgreSQL; meanwhile a key is revoked on the other."""
    here, there = house.hosts
    key_id, key = await new_key(house)
    await asyncio.gather(*(work(door, key) for door in house.doors for _ in range(5)))
    there.to_postgresql.silent = True
    began = asyncio.get_running_loop().time()
    await revoke(house, key_id)
    taken = asyncio.get_running_loop().time() - began
    finding.measured("revoked at the other host in", f"{taken * 1000:.0f} ms", right=taken < WAIT)
    began += taken
    finding.seen("refused by the other host", list(await _all_refuse(house, key, here.doors)))
    finding.seen("served no more by the host that is cut off", list(await _all_refuse(house, key, there.doors)))
    served = load.since(began, doors=here.doors)
    finding.measured("the other host served", f"{served.served}/{served.asked}", right=not served.errors)
    there.to_postgresql.mend()
    finding.seen(
        "refused once it is whole",
        [await refused(door, key, within=WAIT, in_a_row=house.looks) for door in there.doors],
    )


def _all_refuse(house: Hosts, key: str, doors: tuple[str, ...]) -> Any:
    """Seconds until each serves the key no more: 401, or 503 where nobody can know."""

    def stopped(door: str) -> Any:
        async def asked() -> bool:
            return (await work(door, key)).status in {401, 503}

        return until(asked, within=WAIT, in_a_row=house.looks)

    return asyncio.gather(*(stopped(door) for door in doors))


def _quietly(house: Hosts, *arguments: str) -> None:
    """An operator's command whose words are for people."""
    house.command(*arguments)
