"""Nobody learns who has an account: not by what is answered, and not by how long it takes.

Known and unknown addresses are asked about in turns, in an order that chance makes, so that whatever slows the machine
down slows down both. Two samples of 200 times each are compared by the test of Kolmogorov and Smirnov.
"""

import asyncio
import math
import random
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.adapters.passwords import argon2_pool
from monkey_coder_server.ports.accounts import User

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("enumeration")]
IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
SAMPLES = 200
UNLIKELY = 1e-6
"""A difference that chance makes so seldom is one: about a quarter of the samples on the wrong side."""
PASSWORD = "several plain words together"


def distance(first: list[float], second: list[float]) -> float:
    """The greatest distance of two empirical distributions."""
    one, two = sorted(first), sorted(second)
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(two, x) / len(two)) for x in one + two)


def chance_of(distance: float, size: int) -> float:
    """How likely chance alone makes such a distance of two samples of one size (the limiting distribution)."""
    root = math.sqrt(size / 2)
    scaled = (root + 0.12 + 0.11 / root) * distance
    series = sum((-1) ** (turn - 1) * math.exp(-2 * (turn * scaled) ** 2) for turn in range(1, 101))
    return min(1.0, max(0.0, 2 * series))


def test_the_comparison_sees_a_difference_and_none_where_there_is_none() -> None:
    dice = random.Random(7)
    same = [[dice.gauss(10, 1) for _ in range(SAMPLES)] for _ in range(2)]
    assert chance_of(distance(*same), SAMPLES) > 0.01
    later = [each + 1 for each in same[1]]
    assert chance_of(distance(same[0], later), SAMPLES) < UNLIKELY


async def compared(ask: Callable[[str], Awaitable[Any]], known: list[str], unknown: list[str]) -> float:
    """How likely the times of known and unknown addresses differ by chance alone. Their answers must not differ."""
    dice, times, said = random.Random(2026), dict[bool, list[float]]({True: [], False: []}), set[tuple[int, str]]()
    turns = [True, False] * SAMPLES
    dice.shuffle(turns)
    left = {True: iter(known), False: iter(unknown)}
    for turn in turns:
        email = next(left[turn])
        started = time.perf_counter()
        answer = await ask(email)
        times[turn].append(time.perf_counter() - started)
        said.add((answer.status_code, str({**answer.json(), "request_id": ""})))
        await asyncio.sleep(0.004)
    assert len(said) == 1, said
    return chance_of(distance(times[True], times[False]), SAMPLES)


@pytest.fixture(scope="module")
def people() -> tuple[list[str], list[str]]:
    return [f"known{each}@example.com" for each in range(SAMPLES)], [
        f"nobody{each}@example.com" for each in range(SAMPLES)
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(house: Any, people: tuple[list[str], list[str]]) -> None:
    """Those who have accounts have them, with passwords of one hash, which takes as long to check as any."""
    use = house.gateway.books.accounts
    password_hash = await use.passwords.hash(PASSWORD)
    for email in people[0]:
        made = {"user_id": use.ids.new("usr"), "account_id": use.ids.new("acc"), "created_at": use.clock.now()}
        await use.accounts.create(
            User(email=email, name="Known", password_hash=password_hash, plan="free", roles=("user",), **made)
        )


@pytest.fixture
def asked(known: None, postbox: Any, callers: Any) -> Callable[[str, str, dict[str, str]], Awaitable[Any]]:
    """Asks about an address from a network address nobody used yet."""

    async def ask(path: str, email: str, more: dict[str, str]) -> Any:
        return await callers().post(path, email=email, **more)

    return ask


@IN_ONE_LOOP
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/auth/login", {"password": "not the right one"}),
        ("/v1/auth/password/forgot", {}),
        ("/v1/auth/email/verify/request", {}),
    ],
)
async def test_known_and_unknown_addresses_get_one_answer_in_one_time(
    asked: Any, people: tuple[list[str], list[str]], path: str, more: dict[str, str]
) -> None:
    assert await compared(lambda email: asked(path, email, more), *people) > UNLIKELY


@IN_ONE_LOOP
async def test_a_gateway_that_tells_would_be_noticed(
    asked: Any, people: tuple[list[str], list[str]], house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of the proof: without the decoy of unknown users the same measurement finds them."""
    pool = house.gateway.books.accounts.passwords
    honest = argon2_pool.Argon2Pool.verify

    async def telling(self: Any, password: str, password_hash: str | None) -> bool:
        return await honest(self, password, password_hash) if password_hash else False

    monkeypatch.setattr(type(pool), "verify", telling)
    ask = {"password": "not the right one"}
    assert await compared(lambda email: asked("/v1/auth/login", email, ask), *people) < UNLIKELY
