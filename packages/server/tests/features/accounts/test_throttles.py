"""Guessing is slowed down, and nobody is locked out by somebody else's guesses."""

import asyncio
from itertools import count
from typing import Any

import httpx2
import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.accounts import throttles
from packages.server.tests.features.accounts.persons import newcomer

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
addresses = count(1)


def caller(house: Any, address: str = "") -> httpx2.AsyncClient:
    """Somebody at a network address of their own."""
    where = (address or f"198.51.100.{next(addresses)}", 4000)
    transport = httpx2.ASGITransport(app=house.gateway.application, client=where)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway")


async def tried(client: httpx2.AsyncClient, email: str, password: str = "wrong wrong wrong") -> int:
    answer = await client.post("/v1/auth/login", json={"email": email, "password": password})
    return answer.status_code


async def test_a_stranger_cannot_lock_a_person_out_of_where_they_are_at_home(house: Any) -> None:
    home, stranger, elsewhere = caller(house), caller(house), caller(house)
    body = {"email": "home@example.com", "password": PASSWORD}
    assert (await home.post("/v1/auth/register", json=body)).status_code == 200
    assert [await tried(stranger, body["email"]) for _ in range(11)] == [401] * 10 + [429]
    assert await tried(elsewhere, body["email"], PASSWORD) == 429
    assert await tried(home, body["email"], PASSWORD) == 200
    assert await tried(stranger, body["email"]) == 429


async def test_guesses_from_home_are_counted_too_and_the_right_one_clears_them(house: Any) -> None:
    home = caller(house)
    body = {"email": "typing@example.com", "password": PASSWORD}
    await home.post("/v1/auth/register", json=body)
    assert [await tried(home, body["email"]) for _ in range(9)] == [401] * 9
    assert await tried(home, body["email"], PASSWORD) == 200
    assert [await tried(home, body["email"]) for _ in range(11)] == [401] * 10 + [429]


async def test_one_place_may_guess_at_a_hundred_accounts_and_waits_then(house: Any) -> None:
    guesser = caller(house)
    await asyncio.gather(*(tried(guesser, f"{number}@example.com") for number in range(100)))
    more = await asyncio.gather(*(tried(guesser, f"another{number}@example.com") for number in range(5)))
    assert more.count(429) >= 4
    assert await tried(caller(house), "another@example.com") == 401


async def test_guesses_at_once_are_no_more_than_one_after_the_other(house: Any) -> None:
    statuses = await asyncio.gather(*(tried(caller(house), "burst@example.com") for _ in range(20)))
    assert sorted(statuses) == [401] * 10 + [429] * 10


async def test_who_cannot_count_lets_nobody_in(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = caller(house)
    body = {"email": "away@example.com", "password": PASSWORD}
    await client.post("/v1/auth/register", json=body)

    async def away(*_: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(type(house.gateway.books.storage.tries), "take", away)
    assert await tried(client, body["email"], PASSWORD) == 503


async def test_what_is_public_and_costs_is_counted_by_place_for_all_processes_together(house: Any) -> None:
    """A gateway beside this one has used up what the place has: this process's own count is untouched."""
    tries, clock = house.gateway.books.storage.tries, house.gateway.books.clock
    bodies = {
        "/v1/auth/register": {"email": "crowd@example.com", "password": PASSWORD},
        "/v1/auth/mfa/verify": {"mfa_token": "x", "code": "000000"},
        "/v1/auth/mfa/passkeys/login/options": None,
        "/v1/keys/report": {"key": "mk-dev-x"},
        "/v1/auth/device/authorize": {"client_id": "x"},
        "/v1/device/authorize": {"client_id": "x"},
    }
    actions = ("register", "second step", "second step", "report", "device", "device")
    for (path, body), action in zip(bodies.items(), actions, strict=True):
        address = f"192.0.2.{next(addresses)}"
        client = caller(house, address)
        while not await tries.take({throttles.place_at(action, address): throttles.A_BUSY_PLACE}, clock.now()):
            pass
        refused = await client.post(path, json=body)
        assert refused.status_code == 429, path
        assert 1 <= int(refused.headers["retry-after"]) <= 3
        assert (await caller(house).post(path, json=body)).status_code != 429, path


async def test_a_flood_from_one_place_does_not_reach_the_database(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, asked = caller(house), list[Any]()
    take = type(house.gateway.books.storage.tries).take

    async def watched(*given: Any) -> Any:
        asked.append(given)
        return await take(*given)

    monkeypatch.setattr(type(house.gateway.books.storage.tries), "take", watched)
    statuses = await asyncio.gather(*(client.post("/v1/keys/report", json={"key": "mk-dev-x"}) for _ in range(130)))
    assert len(statuses) == 130
    assert len(asked) <= 105


async def test_a_second_factor_is_tried_five_times_wherever_from_and_a_passkey_is_no_guess(house: Any) -> None:
    person = await newcomer(house, "everywhere@example.com")
    await person.enrol()
    body = {"email": person.email, "password": PASSWORD}
    statuses = []
    for _ in range(6):
        client = caller(house)
        token = (await client.post("/v1/auth/login", json=body)).json()["mfa_token"]
        statuses.append(await client.post("/v1/auth/mfa/verify", json={"mfa_token": token, "code": "000000"}))
    assert [each.status_code for each in statuses] == [401] * 5 + [429]
    assert 1 <= int(statuses[-1].headers["retry-after"]) <= 30
    forged = {"mfa_token": token, "passkey": {"id": "x", "response": {}}}
    assert (await caller(house).post("/v1/auth/mfa/verify", json=forged)).status_code == 401
