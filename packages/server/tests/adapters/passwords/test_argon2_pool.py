import asyncio
from collections.abc import Iterator

import pytest

from monkey_coder_server.adapters.passwords import Argon2Pool
from monkey_coder_server.adapters.passwords.argon2_pool import Argon2Cost
from monkey_coder_server.domain.errors import Unavailable

CHEAP = Argon2Cost(memory=8, passes=1)


@pytest.fixture
def pool() -> Iterator[Argon2Pool]:
    pool = Argon2Pool(cost=CHEAP, threads=1, queue=2)
    yield pool
    pool.close()


async def test_a_password_matches_its_hash_only(pool: Argon2Pool) -> None:
    stored = await pool.hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert await pool.verify("correct horse battery", stored)
    assert not await pool.verify("wrong horse battery", stored)


async def test_an_unknown_user_is_refused_after_the_same_work(pool: Argon2Pool) -> None:
    assert not await pool.verify("a password nobody has", None)


async def test_who_has_no_password_gets_in_with_none_at_all(pool: Argon2Pool) -> None:
    for tried in ("", "a password nobody has", "secret"):
        assert not await pool.verify(tried, "")


async def test_a_broken_hash_matches_nothing(pool: Argon2Pool) -> None:
    assert not await pool.verify("anything", "not a hash")


async def test_a_full_queue_says_come_back(pool: Argon2Pool) -> None:
    stored = await pool.hash("correct horse battery")
    tries = await asyncio.gather(*(pool.verify("x", stored) for _ in range(20)), return_exceptions=True)
    refused = [error for error in tries if isinstance(error, Unavailable)]
    assert refused
    assert refused[0].retry_after is not None
    assert await pool.verify("correct horse battery", stored)


async def test_hashes_of_other_parameters_are_outdated(pool: Argon2Pool) -> None:
    stored = await pool.hash("correct horse battery")
    stronger = Argon2Pool(cost=Argon2Cost(memory=16, passes=1))
    assert not pool.outdated(stored)
    assert stronger.outdated(stored)
    stronger.close()


def test_the_default_cost_is_what_owasp_asks_at_least() -> None:
    assert Argon2Cost() == Argon2Cost(memory=19_456, passes=2, lanes=1)
