"""A key is revoked while two gateways serve it: what runs ends and is charged, what begins later is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

SEEN_BY_OTHERS = 5.0
"""Seconds, as `docs/how-to/postgresql.md` promises."""
LOADED, LATER = 1.0, 1.0
"""Seconds of load before the revocation, and after everybody must have seen it."""
CALLERS = 4
"""Of each key at each gateway."""
CREDIT = 100 * NANO_PER_USD
BODY = {
    "task_type": "custom",
    "model": "openai/gpt-4.1-mini",
    "prompt": "count [[sandbox output_tokens=36 tokens_per_second=40 first_token_ms=20]]",
}
"""Answered in nine tenths of a second, so that what runs at the revocation runs longer than that takes."""
ANSWER = 0.9


@dataclass(slots=True)
class Asked:
    """One request. Seconds of the event loop's clock."""

    door: int
    key: str
    began: float
    ended: float
    status: int
    last: dict[str, Any]


@dataclass(slots=True)
class Pair:
    """Two gateways on one set of books."""

    gateways: tuple[Gateway, Gateway]
    doors: tuple[httpx2.AsyncClient, httpx2.AsyncClient]
    account_id: str
    owner: dict[str, str]
    enough: bool = False
    asked: list[Asked] = field(default_factory=list)

    async def new_key(self, name: str) -> tuple[str, str]:
        """Id and secret of one that may ask as often as it likes."""
        made = (await self.doors[0].post("/v1/keys", json={"name": name, "rate": 100_000}, headers=self.owner)).json()
        return made["key_id"], made["key"]

    async def call(self, door: int, name: str, secret: str, *, after: float) -> None:
        """One caller, who comes `after` so many seconds: stream after stream, whatever the answer."""
        clock, headers = asyncio.get_running_loop().time, {"authorization": f"Bearer {secret}"}
        await asyncio.sleep(after)
        while not self.enough:
            began = clock()
            answer = await self.doors[door].post("/v1/execute/stream", json=BODY, headers=headers)
            last = json.loads(answer.text.rpartition("data: ")[2])
            self.asked.append(Asked(door, name, began, clock(), answer.status_code, last))
            await asyncio.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgresql"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    if request.param == "sqlite":
        database = f"sqlite:///{tmp_path}/books.db"
    else:
        database = request.getfixturevalue("postgresql_database")
    async with AsyncExitStack() as stack:
        simulators = await server.start()
        stack.push_async_callback(simulators.close)
        environment = {
            "DATABASE_URL": database,
            "OPENAI_API_KEY": "sk-1",
            "OPENAI_BASE_URL": simulators.base_urls["openai"],
        }
        settings = load(environment, folder=tmp_path)
        gateways = [await stack.enter_async_context(open_gateway(settings)) for _ in range(2)]
        transports = [httpx2.ASGITransport(app=gateway.application) for gateway in gateways]
        doors = [
            await stack.enter_async_context(httpx2.AsyncClient(transport=each, base_url="http://gateway"))
            for each in transports
        ]
        made = await operator.create_user(
            gateways[0].books.accounts, email="a@example.com", password=None, credit=CREDIT, plan=None
        )
        owner = {"authorization": f"Bearer {made.api_key}"}
        yield Pair((gateways[0], gateways[1]), (doors[0], doors[1]), made.user.account_id, owner)


async def test_nothing_that_begins_after_a_revocation_is_served_and_what_ran_is_charged(pair: Pair) -> None:
    clock = asyncio.get_running_loop().time
    (key_id, secret), (_, other) = await pair.new_key("revoked"), await pair.new_key("kept")
    callers = [
        asyncio.create_task(pair.call(door, name, value, after=number * ANSWER / CALLERS))
        for door in range(2)
        for name, value in (("revoked", secret), ("kept", other))
        for number in range(CALLERS)
    ]
    await asyncio.sleep(LOADED)
    sent = clock()
    answer = await pair.doors[0].delete(f"/v1/keys/{key_id}", headers=pair.owner)
    revoked = clock()
    assert answer.status_code == 200, answer.text
    await asyncio.sleep(SEEN_BY_OTHERS + LATER)
    pair.enough = True
    await asyncio.gather(*callers)

    assert {one.status for one in pair.asked} <= {200, 401}
    assert {one.status for one in pair.asked if one.key == "kept"} == {200}
    late = [one for one in pair.asked if one.key == "revoked" and one.began > revoked + one.door * SEEN_BY_OTHERS]
    assert {one.door for one in late} == {0, 1}
    assert {(one.status, one.last["error_code"]) for one in late} == {(401, "invalid_api_key")}
    early = [one for one in pair.asked if one.key == "revoked" and one.began < sent]
    assert {one.status for one in early} == {200}
    assert {one.door for one in early if one.ended > revoked} == {0, 1}

    served = [one for one in pair.asked if one.status == 200]
    assert {one.last["type"] for one in served} == {"complete"}
    told = sum(Decimal(one.last["data"]["result"]["metadata"]["cost_usd"]) for one in served)
    for door in pair.doors:  # what each has leased goes back, and what it has in its journal is booked
        await door.get("/v1/billing/balance", headers=pair.owner)
    wallet = await pair.gateways[0].books.storage.ledger.wallet(pair.account_id)
    assert CREDIT - wallet.balance == told * NANO_PER_USD
    assert (await pair.gateways[0].books.storage.ledger.verify()).sound
