"""Notes of wordings lie in the cache of answers: shared and sealed where that is, bounded and over as all in it."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from monkey_coder_server.adapters.cache.memory import MemoryCache
from monkey_coder_server.adapters.cache.redis import RedisCache
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.features.inference import CacheSettings
from monkey_coder_server.features.inference.caching import Wording
from monkey_coder_server.features.inference.rewordings import Rewordings
from monkey_coder_server.ports.cache import Cache, CacheBounds, CacheKey
from monkey_coder_server.ports.shared_store import Script
from packages.server.tests.features.inference.test_semantic_cache import Vectors
from packages.server.tests.redis_server import SHARED, own_prefix

BOUNDS = CacheBounds(entry=4_000, tenant=8_000, total=14_000)
CLEAR = Script("for _, k in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do redis.call('DEL', k) end")
VALUES = Script("""
local found = {}
for _, k in ipairs(redis.call('KEYS', KEYS[1] .. '*answer:*')) do found[#found + 1] = redis.call('GET', k) end
return found
""")
TEXT = "Write a function to reverse a line."


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    opened = RedisStore(SHARED, prefix=own_prefix())
    await opened.open()
    yield opened
    await opened.script(CLEAR, [""], [])
    await opened.close()


def key(tenant: str, name: object) -> CacheKey:
    return CacheKey(tenant, sha256(f"{tenant} {name}".encode()).digest())


def rewordings(cache: Cache, **vectors: Any) -> Rewordings:
    revision: Any = None  # asked for the places of requests, which are given here
    return Rewordings(cache, Vectors(**vectors), revision, CacheSettings())


@pytest.mark.system
async def test_what_one_process_notes_another_finds_and_redis_cannot_read(store: RedisStore) -> None:
    one, other = (rewordings(RedisCache(store, AesSealing(b"a secret"), BOUNDS)) for _ in range(2))
    place, answer = key("acct_1", "place"), key("acct_1", "answer")
    await one.note(Wording(place, TEXT), answer, seconds=60)
    assert [(near.key, near.similarity) for near in await other.near(Wording(place, "other words"))] == [(answer, 1.0)]
    assert await other.near(Wording(key("acct_2", "place"), TEXT)) == ()
    (sealed,) = await store.script(VALUES, [""], [])
    assert answer.digest not in sealed
    assert TEXT.encode() not in sealed
    elsewhere = rewordings(RedisCache(store, AesSealing(b"another secret"), BOUNDS))
    assert await elsewhere.near(Wording(place, TEXT)) == ()


async def test_a_wording_that_is_noted_again_is_noted_once() -> None:
    cache = MemoryCache(lambda: 0.0, BOUNDS)
    place, answer = key("acct_1", "place"), key("acct_1", "answer")
    for _ in range(3):
        await rewordings(cache).note(Wording(place, TEXT), answer, seconds=60)
    assert len(await rewordings(cache).near(Wording(place, TEXT))) == 1


async def test_notes_are_over_and_make_room_as_all_in_the_cache() -> None:
    now = [0.0]
    cache = MemoryCache(lambda: now[0], BOUNDS)
    noting = rewordings(cache)
    for number in range(100):
        await noting.note(Wording(key("acct_1", number), TEXT), key("acct_1", "answer"), seconds=60)
    assert cache.figures().bytes <= BOUNDS.tenant
    assert await noting.near(Wording(key("acct_1", 0), TEXT)) == ()
    assert len(await noting.near(Wording(key("acct_1", 99), TEXT))) == 1
    now[0] = 60.0
    assert await noting.near(Wording(key("acct_1", 99), TEXT)) == ()
