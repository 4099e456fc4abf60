"""Keys outlive the pepper they were made with, and what is changed of one binds at every gateway soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from monkey_coder_server.bootstrap import access
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import load

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
SEEN_BY_OTHERS = 5.0
"""Seconds, as `docs/how-to/postgresql.md` promises."""
OLD, NEW = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q", "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"


@asynccontextmanager
async def door(database: str, folder: Path, pepper: str) -> AsyncIterator[tuple[Gateway, httpx2.AsyncClient]]:
    settings = load({"DATABASE_URL": database, "KEY_PEPPER": pepper, "OPENAI_API_KEY": "sk-unused"}, folder=folder)
    async with open_gateway(settings) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield gateway, client


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/books.db"
    url: str = request.getfixturevalue("postgresql_database")
    return url


async def test_keys_go_on_working_while_their_pepper_is_listed(database: str, tmp_path: Path) -> None:
    async with door(database, tmp_path, OLD) as (gateway, _):
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=0, plan=None
        )
    headers = {"x-api-key": made.api_key}
    async with door(database, tmp_path, f"{NEW},{OLD}") as (gateway, client):
        assert (await client.get("/v1/models", headers=headers)).status_code == 200
        await client.post("/v1/keys", json={"name": "later"}, headers=headers)
        settings = gateway.books.settings
    listed = {each["name"]: each["pepper"] for each in await access.list_keys(settings, only_old=False)}
    assert listed == {"first key": "old", "later": "current"}
    assert [each["name"] for each in await access.list_keys(settings, only_old=True)] == ["first key"]
    async with door(database, tmp_path, NEW) as (gateway, client):
        assert (await client.get("/v1/models", headers=headers)).status_code == 401
    assert (await access.list_keys(gateway.books.settings, only_old=True))[0]["pepper"] == "missing"


async def test_a_bound_that_is_lowered_binds_at_the_other_gateway(database: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        gateway, here = await stack.enter_async_context(door(database, tmp_path, NEW))
        _, there = await stack.enter_async_context(door(database, tmp_path, NEW))
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=0, plan=None
        )
        owner = {"x-api-key": made.api_key}
        key = (await here.post("/v1/keys", json={"name": "ci"}, headers=owner)).json()
        bounded = {"x-api-key": key["key"]}
        assert (await there.get("/v1/models", headers=bounded)).status_code == 200
        wish = {"ip_allow": ["192.0.2.0/24"]}
        assert (await here.patch(f"/v1/keys/{key['key_id']}", json=wish, headers=owner)).status_code == 200
        assert (await here.get("/v1/models", headers=bounded)).status_code == 403
        await asyncio.sleep(SEEN_BY_OTHERS)
        assert (await there.get("/v1/models", headers=bounded)).status_code == 403
