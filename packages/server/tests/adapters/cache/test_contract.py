"""What every cache of answers must do, in memory and in Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from monkey_coder_server.adapters.cache.memory import MemoryCache
from monkey_coder_server.adapters.cache.redis import OVERHEAD, RedisCache
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.ports.cache import Cache, CacheBounds, CacheKey
from monkey_coder_server.ports.shared_store import Script
from packages.server.tests.redis_server import SHARED, own_prefix, own_redis

pytestmark = pytest.mark.system

BOUNDS = CacheBounds(entry=4_000, tenant=8_000, total=14_000)
CLEAR = Script("for _, k in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do redis.call('DEL', k) end")
SEALING = AesSealing(b"a secret of the operator")
VALUE = bytes(range(250)) * 4
"""With what it takes beside, six fit a tenant and nine fit in all, whichever cache it is."""


@dataclass
class Subject:
    cache: Cache
    pass_seconds: Callable[[int], Awaitable[None]]


@pytest.fixture(params=["memory", "redis"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        now = [1_000.0]

        async def later(seconds: int) -> None:
            now[0] += seconds
            await asyncio.sleep(0)

        yield Subject(MemoryCache(lambda: now[0], BOUNDS), later)
        return
    store = RedisStore(SHARED, prefix=own_prefix())
    await store.open()

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds + 0.05)

    yield Subject(RedisCache(store, SEALING, BOUNDS), wait)
    await store.script(CLEAR, [""], [])
    await store.close()


def key(tenant: str, name: object) -> CacheKey:
    return CacheKey(tenant, sha256(f"{tenant} {name}".encode()).digest())


async def keep(cache: Cache, *keys: CacheKey) -> list[bool]:
    return [await cache.put(each, VALUE, seconds=60) for each in keys]


async def kept(cache: Cache, *keys: CacheKey) -> list[bool]:
    return [await cache.get(each) is not None for each in keys]


async def test_what_is_kept_is_found_under_its_key_alone(subject: Subject) -> None:
    cache = subject.cache
    assert await cache.get(key("a", 1)) is None
    assert await cache.put(key("a", 1), VALUE, seconds=60)
    assert await cache.put(key("a", 2), b"", seconds=60)
    assert [await cache.get(key("a", 1)), await cache.get(key("a", 2))] == [VALUE, b""]
    assert await cache.get(key("b", 1)) is None
    assert await cache.get(CacheKey("b", key("a", 1).digest)) is None
    assert await cache.put(key("a", 1), b"another", seconds=60)
    assert await cache.get(key("a", 1)) == b"another"
    assert cache.figures().entries == 2


async def test_it_is_kept_for_its_time(subject: Subject) -> None:
    cache = subject.cache
    await cache.put(key("a", 1), VALUE, seconds=1)
    await cache.put(key("a", 2), VALUE, seconds=60)
    await subject.pass_seconds(1)
    assert await kept(cache, key("a", 1), key("a", 2)) == [False, True]
    await cache.put(key("a", 3), VALUE, seconds=60)
    assert (cache.figures().entries, cache.figures().evicted) == (2, 0)


async def test_what_a_tenant_kept_first_makes_room_for_its_next_and_nobody_elses(subject: Subject) -> None:
    cache = subject.cache
    other, mine = key("b", 0), [key("a", name) for name in range(7)]
    assert all(await keep(cache, other, *mine))
    held = await kept(cache, *mine)
    assert held == sorted(held)
    assert 3 <= sum(held) < 7
    assert await kept(cache, other) == [True]
    assert cache.figures().evicted == held.count(False)


async def test_all_together_stay_within_their_bound(subject: Subject) -> None:
    cache = subject.cache
    keys = [key(f"tenant {name}", name) for name in range(20)]
    for each in keys:
        await cache.put(each, VALUE, seconds=60)
        assert cache.figures().bytes <= BOUNDS.total
    held = await kept(cache, *keys)
    assert held == sorted(held)
    assert sum(held) == cache.figures().entries >= 5
    assert cache.figures().bytes > BOUNDS.total * 0.8


async def test_what_is_too_large_is_not_kept_and_makes_nothing_go(subject: Subject) -> None:
    cache = subject.cache
    await keep(cache, key("a", 1))
    assert not await cache.put(key("a", 2), bytes(BOUNDS.entry), seconds=60)
    assert await kept(cache, key("a", 1), key("a", 2)) == [True, False]
    assert (cache.figures().refused, cache.figures().evicted) == (1, 0)


async def test_sums_stay_right_however_entries_come_and_go(subject: Subject) -> None:
    cache = subject.cache
    for turn in range(60):
        await cache.put(key(f"t{turn % 3}", turn % 7), bytes(turn * 37 % 2_000), seconds=60)
    keys = [key(f"t{tenant}", name) for tenant in range(3) for name in range(7)]
    values = [value for each in keys if (value := await cache.get(each)) is not None]
    figures = cache.figures()
    assert figures.entries == len(values)
    beside = figures.bytes - sum(map(len, values))
    assert OVERHEAD * len(values) <= beside <= (OVERHEAD + 40) * len(values)


async def test_redis_holds_neither_questions_nor_answers_and_no_answer_opens_under_another_key() -> None:
    store = RedisStore(SHARED, prefix=own_prefix())
    await store.open()
    mine, others = key("a", 1), key("b", 1)
    cache = RedisCache(store, SEALING, BOUNDS)
    await cache.put(mine, b"a secret answer", seconds=5)
    everything = Script(
        "local all = {} for _, k in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do all[#all + 1] = k "
        "if redis.call('TYPE', k).ok == 'string' then all[#all + 1] = redis.call('GET', k) end end return all"
    )
    said = await store.script(everything, [""], [])
    assert not any(b"secret answer" in each or mine.digest.hex().encode() in each for each in said)
    move = Script("redis.call('SET', KEYS[2], redis.call('GET', KEYS[1]), 'EX', 5)")
    names = [f"cache:answer:{each.tenant}:{sha256(b'place' + each.digest).hexdigest()}" for each in (mine, others)]
    await store.script(move, names, [])
    assert await cache.get(others) is None
    assert await RedisCache(store, AesSealing(b"another secret"), BOUNDS).get(mine) is None
    assert await RedisCache(store, AesSealing(b"new", b"a secret of the operator"), BOUNDS).get(mine) is not None
    await store.script(CLEAR, [""], [])
    await store.close()


async def test_without_redis_nothing_is_found_nothing_kept_and_nobody_waits(tmp_path: Path) -> None:
    with own_redis(tmp_path) as server:
        store = RedisStore(server.url, prefix=own_prefix())
        await store.open()
        cache = RedisCache(store, SEALING, BOUNDS)
        assert await keep(cache, key("a", 1)) == [True]
        server.kill()
        assert await kept(cache, key("a", 1)) == [False]
        assert await keep(cache, key("a", 2)) == [False]
        assert cache.figures().failed == 2
        await store.close()
