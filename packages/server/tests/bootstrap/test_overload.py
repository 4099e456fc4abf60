"""Asked for more than it can do, a gateway refuses one tenant in its dialect, serves others, and lets no money hang."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import load
from monkey_coder_server.web.turnstile import Turnstile, TurnstileOptions

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
FLOOD, BEGUN = 60, 1
MODEL, SAID = "openai/gpt-4.1-mini", [{"role": "user", "content": "count [[sandbox output_tokens=20]]"}]
DIALECTS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "native": ("/v1/execute", {"task_type": "custom", "model": MODEL, "prompt": SAID[0]["content"]}, ("error_code",)),
    "chat": ("/v1/chat/completions", {"model": MODEL, "messages": SAID}, ("error", "code")),
    "responses": ("/v1/responses", {"model": MODEL, "input": SAID}, ("error", "code")),
    "messages": ("/v1/messages", {"model": MODEL, "max_tokens": 50, "messages": SAID}, ("error", "type")),
    "gemini": (
        f"/v1beta/models/{MODEL}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": SAID[0]["content"]}]}]},
        ("error", "status"),
    ),
}
"""How each asks, and where its clients look for what is wrong."""
WORDS = {"responses": "server_error", "native": "unavailable", "messages": "overloaded_error", "gemini": "UNAVAILABLE"}


@dataclass(frozen=True, slots=True)
class House:
    """A gateway with few places at its entrance, and two customers."""

    gateway: Gateway
    client: httpx2.AsyncClient
    loud: dict[str, str]
    quiet: dict[str, str]

    async def ask(self, dialect: str, headers: dict[str, str]) -> httpx2.Response:
        path, body, _ = DIALECTS[dialect]
        return await self.client.post(path, json=body, headers=headers)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_gateway(load({}, folder=tmp_path), sandbox=True) as gateway:
        told = TurnstileOptions(begun=BEGUN, idle=0.0, most_of_one=8, refusing=0.01)
        gateway.application.turnstile = Turnstile(gateway.books.clock, told)
        headers = []
        for name in ("loud", "quiet"):
            made = await operator.create_user(
                gateway.books.accounts, email=f"{name}@example.com", password=None, credit=10 * 10**9, plan=None
            )
            headers.append({"authorization": f"Bearer {made.api_key}"})
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield House(gateway, client, *headers)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_flood_is_refused_in_its_dialect_and_no_hold_is_left(house: House, dialect: str) -> None:
    flood = [asyncio.create_task(house.ask(dialect, house.loud)) for _ in range(FLOOD)]
    await asyncio.sleep(0)
    quiet, ready = await asyncio.gather(house.ask(dialect, house.quiet), house.client.get("/health/ready"))
    answers = await asyncio.gather(*flood)
    assert (quiet.status_code, ready.status_code) == (200, 200), quiet.text
    served, refused = ([each for each in answers if each.status_code == status] for status in (200, 503))
    assert len(served) + len(refused) == FLOOD
    assert len(served) >= 8, "those in line are served"
    assert len(refused) >= FLOOD // 2
    for each in refused:
        word: Any = each.json()
        for part in DIALECTS[dialect][2]:
            word = word[part]
        assert word == WORDS.get(dialect, "unavailable")
        assert int(each.headers["retry-after"]) >= 1
    balance = (await house.client.get("/v1/billing/balance", headers=house.loud)).json()
    costs = [Decimal(each.headers["x-monkey-cost"]) for each in served]
    assert balance["held_usd"] == "0.00"
    assert Decimal(balance["balance_usd"]) == 10 - sum(costs)
    assert house.gateway.application.turnstile.shed == len(refused)


async def test_callers_who_hang_up_in_line_leave_no_hold_and_no_place(house: House) -> None:
    flood = [asyncio.create_task(house.ask("native", house.loud)) for _ in range(8)]
    await asyncio.sleep(0.01)
    for each in flood:
        each.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    assert house.gateway.application.turnstile.waiting == 0
    assert (await house.ask("native", house.loud)).status_code == 200
    for _ in range(500):
        if (await house.client.get("/v1/billing/balance", headers=house.loud)).json()["held_usd"] == "0.00":
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a hold was left")


async def test_who_waits_for_a_provider_is_in_nobodys_way(house: House) -> None:
    slow = {"task_type": "custom", "model": MODEL, "prompt": "count [[sandbox first_token_ms=2000]]"}
    asked = [
        asyncio.create_task(house.client.post("/v1/execute", json=slow, headers=house.loud)) for _ in range(BEGUN + 3)
    ]
    await asyncio.sleep(0)
    turnstile = house.gateway.application.turnstile
    for _ in range(150):
        await asyncio.sleep(0.01)
        if not turnstile.waiting:
            break
    assert turnstile.waiting == 0, "all have called their provider"
    assert not any(each.done() for each in asked)
    assert {each.status_code for each in await asyncio.gather(*asked)} == {200}
