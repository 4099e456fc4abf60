"""Secrets are replaced while people are logged in and have second factors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.persons import Person, login, newcomer, verify

pytestmark = [pytest.mark.system, pytest.mark.asyncio]
OLD, NEW = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q", "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
REPLACED = f"{NEW},{OLD}"


@asynccontextmanager
async def opened(folder: Path, **given: str) -> AsyncIterator[House]:
    from monkey_coder_server.bootstrap.gateway import open_gateway
    from monkey_coder_server.settings import load

    async with open_gateway(load(given, folder=folder)) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield House(gateway, client)


async def proves(house: House, person: Person, code: str) -> bool:
    return (await verify(house, (await login(house, person))["mfa_token"], code=code)).status_code == 200


async def test_a_pepper_is_dropped_once_everybody_logged_in_under_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path, KEY_PEPPER=OLD) as house:
        person = await newcomer(house, "ada@example.com")
        await person.enrol()
    async with opened(tmp_path, KEY_PEPPER=NEW) as house:
        assert not await proves(house, person, person.code()), "nobody opens what the old one sealed"
        assert not await proves(house, person, person.recovery_codes[0])
    async with opened(tmp_path, KEY_PEPPER=REPLACED) as house:
        assert await proves(house, person, person.recovery_codes[0])
        assert await proves(house, person, person.code())
    async with opened(tmp_path, KEY_PEPPER=NEW) as house:
        assert await proves(house, person, person.code(1)), "each use seals anew"


async def test_a_token_secret_is_replaced_while_people_are_logged_in(tmp_path: Path) -> None:
    async with opened(tmp_path, JWT_SECRET_KEY=OLD) as house:
        person = await newcomer(house, "ada@example.com")
    for secrets, status in ((REPLACED, 200), (NEW, 401), (OLD, 200)):
        async with opened(tmp_path, JWT_SECRET_KEY=secrets) as house:
            answer = await house.client.get("/v1/keys", headers={"authorization": f"Bearer {person.access}"})
            assert answer.status_code == status
