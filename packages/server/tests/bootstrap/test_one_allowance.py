"""A key has one allowance, whichever of its secrets spends it: rotating it gives no second one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import load

pytestmark = pytest.mark.system
TASK = {
    "task_type": "custom",
    "model": "openai/gpt-4.1-mini",
    "prompt": "count [[sandbox output_tokens=36]]",
    "context": {"max_tokens": 100},
}
CAPS = [{"total_usd": "0.002"}, {"day_tokens": 4_000}]
"""Each holds one such request at a time, and is spent after a few."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has keys."""

    client: httpx2.AsyncClient
    headers: dict[str, str]

    async def key(self, caps: dict[str, Any]) -> dict[str, Any]:
        made = await self.client.post("/v1/keys", json={"name": "ci", "caps": caps}, headers=self.headers)
        return dict(made.json())

    async def rotate(self, key: dict[str, Any], hours: int) -> str:
        path = f"/v1/keys/{key['key_id']}/rotate"
        turned = await self.client.post(path, json={"grace_hours": hours}, headers=self.headers)
        return str(turned.json()["key"])

    async def ask(self, secret: str) -> httpx2.Response:
        answer = await self.client.post("/v1/execute", json=TASK, headers={"x-api-key": secret})
        assert answer.status_code in {200, 402}, answer.text
        return answer

    async def spend(self, *secrets: str) -> int:
        """Ask with one after the other until nothing is left; how often there was an answer."""
        count = 0
        async with asyncio.timeout(20):
            while True:
                answer = await self.ask(secrets[count % len(secrets)])
                if answer.status_code == 200:
                    count += 1
                elif {answer.json()["limit"].get(name) for name in ("held_usd", "held_tokens")} & {"0", "0.00"}:
                    return count


@pytest.fixture(params=["sqlite", "postgresql"])
async def owner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Owner]:
    place = {} if request.param == "sqlite" else {"DATABASE_URL": request.getfixturevalue("postgresql_database")}
    async with open_gateway(load(place, folder=tmp_path), sandbox=True) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=10**12, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Owner(client, {"x-api-key": made.api_key})


@pytest.mark.parametrize("caps", CAPS, ids=["money", "tokens"])
@pytest.mark.parametrize("hours", [0, 24])
async def test_rotating_a_key_gives_it_nothing_to_spend_anew(owner: Owner, caps: dict[str, Any], hours: int) -> None:
    good_for = await owner.spend((await owner.key(caps))["key"])
    assert good_for > 3
    key = await owner.key(caps)
    assert (await owner.ask(key["key"])).status_code == 200
    new = await owner.rotate(key, hours)
    assert await owner.spend(*([key["key"], new] if hours else [new])) == good_for - 1
    assert await owner.spend(await owner.rotate(key, hours)) == 0


@pytest.mark.parametrize("caps", CAPS, ids=["money", "tokens"])
async def test_both_secrets_at_once_spend_no_more_than_one(owner: Owner, caps: dict[str, Any]) -> None:
    good_for = await owner.spend((await owner.key(caps))["key"])
    key = await owner.key(caps)
    new = await owner.rotate(key, 24)
    answers = await asyncio.gather(*[owner.ask(secret) for secret in (key["key"], new) * 8])
    at_once = sum(answer.status_code == 200 for answer in answers)
    assert at_once + await owner.spend(new, key["key"]) == good_for
