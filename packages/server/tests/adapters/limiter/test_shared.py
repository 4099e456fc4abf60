"""Throttles in Redis: one bucket for all processes, and shut while Redis is away."""

from pathlib import Path

import pytest

from monkey_coder_server.adapters.limiter.shared import AWAY_SECONDS, SharedLimiter
from monkey_coder_server.adapters.redis import RedisStore
from packages.server.tests.redis_server import own_redis

pytestmark = pytest.mark.system


async def test_two_processes_share_a_throttle_which_is_shut_without_redis(tmp_path: Path) -> None:
    with own_redis(tmp_path) as server:
        stores = [RedisStore(server.url), RedisStore(server.url)]
        for store in stores:
            await store.open()
        first, second = (SharedLimiter(store) for store in stores)
        taken = [await each.take("who", limit=3, period=600.0) for each in (first, second, first, second)]
        assert [(each.allowed, each.remaining) for each in taken] == [(True, 2), (True, 1), (True, 0), (False, 0)]
        assert 190 < taken[-1].retry_after <= 200
        assert not (await first.take("other", limit=3, period=600.0, cost=4)).allowed
        assert (await first.take("other", limit=3, period=600.0, cost=0)).remaining == 3
        server.kill()
        shut = await first.take("new", limit=3, period=600.0)
        assert (shut.allowed, shut.retry_after) == (False, AWAY_SECONDS)
        for store in stores:
            await store.close()
