"""A limit binds a gateway that serves the account from credit it took beforehand, and one taken back binds no more."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.domain.limits import Period, Unit
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.accounts.limits import Allowance, LimitWish, set_limits
from monkey_coder_server.settings import load

pytestmark = pytest.mark.system
EMAIL = "customer@example.com"
LATEST_SECONDS = 10


@pytest.mark.parametrize("allowance", [Allowance(Unit.TOKENS, 10), Allowance(Unit.MONEY, 1_000)])
async def test_a_limit_set_by_the_operator_stops_a_running_gateway(tmp_path: Path, allowance: Allowance) -> None:
    async with open_gateway(load({}, folder=tmp_path), sandbox=True) as gateway:
        use = gateway.books.accounts
        made = await operator.create_user(use, email=EMAIL, password=None, credit=10**12, plan=None)
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:

            async def ask() -> httpx2.Response:
                task = {"task_type": "chat", "prompt": "hi", "model": "gpt-5"}
                return await client.post("/v1/execute", json=task, headers={"x-api-key": made.api_key})

            for _ in range(5):
                assert (await ask()).status_code == 200
            await set_limits(use, LimitWish(EMAIL, Period.DAY, allowance))
            for _ in range(20 * LATEST_SECONDS):
                refused = await ask()
                if refused.status_code != 200:
                    break
                await asyncio.sleep(0.05)
            assert refused.status_code == 402
            assert refused.json()["limit"]["holder_id"] == made.user.account_id
            await set_limits(use, LimitWish(EMAIL, Period.DAY, None))
            assert (await ask()).status_code == 200
