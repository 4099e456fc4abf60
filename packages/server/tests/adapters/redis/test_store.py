"""The shared store on a real Redis: replies find their askers, deadlines hold, what broke comes back."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monkey_coder_server.adapters.redis import RedisStore, unreachable
from monkey_coder_server.adapters.redis.breaker import BreakerState
from monkey_coder_server.ports.shared_store import Script, StoreAway
from packages.server.tests.redis_server import SHARED, own_prefix, own_redis

pytestmark = pytest.mark.system
ECHO = Script("return {KEYS[1], ARGV[1]}")


@asynccontextmanager
async def opened(url: str = SHARED, prefix: str | None = None) -> AsyncIterator[RedisStore]:
    store = RedisStore(url, prefix=own_prefix() if prefix is None else prefix)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def until(store: RedisStore, *, healthy: bool) -> None:
    await _come(lambda: store.healthy is healthy)


async def test_values_are_kept_for_their_time_and_scripts_run() -> None:
    async with opened() as store:
        assert await store.get("a") is None
        await store.set("a", b"\x00\r\n", seconds=60)
        assert await store.get("a") == b"\x00\r\n"
        await store.delete("a", "b")
        assert await store.get("a") is None
        [key, said] = await store.script(ECHO, ["k"], [7])
        assert (key.endswith(b":k"), said) == (True, b"7")
        with pytest.raises(StoreAway, match="ERR"):
            await store.script(Script("return redis.call('no such command')"), [], [])
        assert store.healthy


async def test_a_cancelled_command_leaves_its_reply_to_nobody() -> None:
    chance = random.Random(8)
    wrong = 0

    async with opened() as store:
        await store.set("warm", b"", seconds=1)

        async def ask(number: int) -> None:
            nonlocal wrong
            try:
                [_, said] = await store.script(ECHO, ["k"], [number])
            except StoreAway:
                return
            wrong += said != b"%d" % number

        for start in range(0, 12_000, 60):
            tasks = [asyncio.create_task(ask(start + number)) for number in range(60)]
            await asyncio.sleep(chance.choice((0, 0, 0.0002, 0.0005)))
            for task in tasks:
                if chance.random() < 0.85:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert await store.get("warm") is not None or start
        [_, said] = await store.script(ECHO, ["k"], ["last"])
        assert (said, wrong, store.breaker.opened) == (b"last", 0, 0)


async def test_a_server_that_hangs_costs_a_few_callers_20_ms_and_the_others_nothing(tmp_path: Path) -> None:
    with own_redis(tmp_path) as server:
        async with opened(server.url) as store:
            await store.set("a", b"before", seconds=60)
            server.hang()
            for _ in range(3):
                with pytest.raises(StoreAway, match="in time"):
                    await store.set("a", b"late", seconds=60)
            assert (store.healthy, store.breaker.opened) == (False, 1)
            asked = store.calls
            for _ in range(1000):
                with pytest.raises(StoreAway, match="not asked"):
                    await store.get("a")
            assert store.calls == asked
            server.go_on()
            await until(store, healthy=True)
            assert store.breaker.state is BreakerState.CLOSED
            assert await store.get("a") in {b"before", b"late"}


async def test_a_server_that_dies_is_used_again_when_it_is_back_and_gaps_are_told(tmp_path: Path) -> None:
    heard: list[bytes] = []
    gaps: list[str] = []
    with own_redis(tmp_path) as server:
        async with opened(server.url, "p:") as store, opened(server.url, "p:") as other:
            store.subscribe("news", heard.append, gap=lambda: gaps.append("gap"))
            await _grown(gaps, 1)
            store.subscribe("more", heard.append, gap=lambda: gaps.append("more"))
            await _grown(gaps, 2)
            await other.publish("news", b"1")
            await other.publish("other", b"not ours")
            await _grown(heard, 1)
            server.kill()
            await until(store, healthy=False)
            with pytest.raises(StoreAway):
                await store.get("a")
            server.start()
            await until(store, healthy=True)
            await until(other, healthy=True)
            await _grown(gaps, 4)
            await other.publish("news", b"2")
            await _grown(heard, 2)
    assert heard == [b"1", b"2"]


async def _grown(things: list[bytes] | list[str], size: int) -> None:
    await _come(lambda: len(things) >= size)


async def _come(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing came of it within ten seconds")


async def test_a_gateway_may_be_opened_before_its_store(tmp_path: Path) -> None:
    with own_redis(tmp_path) as server:
        server.kill()
        assert unreachable(server.url) == "Connection refused"
        async with opened(server.url) as store:
            assert not store.healthy
            server.start()
            await until(store, healthy=True)
            assert unreachable(server.url) is None


def test_a_password_that_is_refused_is_said() -> None:
    told = unreachable(SHARED.replace("://", "://:canary@"))
    assert told is not None
    assert "canary" not in told
