"""Guessing is slowed down, and nobody is locked out by somebody else's guesses."""

import asyncio
from itertools import count
from typing import Any

import httpx2
import pytest

from monkey_coder_server.domain.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
addresses = count(1)


def caller(house: Any) -> httpx2.AsyncClient:
    """Somebody at a network address of their own."""
    where = (f"198.51.100.{next(addresses)}", 4000)
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
