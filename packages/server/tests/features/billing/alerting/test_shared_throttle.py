"""A throttle that gateways share: tests of webhooks count for all of them, and are refused while Redis is away."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.billing.alerting.webhook_routes import TESTS_A_MINUTE
from monkey_coder_server.settings import load
from packages.server.tests.conftest import House
from packages.server.tests.redis_server import own_redis

pytestmark = pytest.mark.system


async def test_gateways_with_one_redis_count_tests_together_and_refuse_them_without_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(own_redis(tmp_path))
        settings = load({"REDIS_URL": redis.url, "WEBHOOK_HOSTS": "127.0.0.1:9"}, folder=tmp_path)
        houses = [await _house(stack, settings) for _ in range(2)]
        customer = await houses[0].customer()
        wish = {"url": "http://127.0.0.1:9/hook"}
        hook = await houses[0].client.post("/v1/billing/webhooks", headers=customer.headers, json=wish)
        test = f"/v1/billing/webhooks/{hook.json()['webhook_id']}/test"

        async def asked(house: House) -> int:
            return (await house.client.post(test, headers=customer.headers, json={})).status_code

        at_once = await asyncio.gather(*(asked(house) for house in houses for _ in range(TESTS_A_MINUTE)))
        assert {200, 429} == set(at_once)
        redis.kill()
        assert [await asked(house) for house in houses] == [429, 429]


async def _house(stack: AsyncExitStack, settings: Any) -> House:
    gateway = await stack.enter_async_context(open_gateway(settings))
    transport = httpx2.ASGITransport(app=gateway.application)
    return House(
        gateway, await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://gateway"))
    )
