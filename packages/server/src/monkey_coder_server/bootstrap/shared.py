"""The store that gateways share, if one is named."""

import contextlib
from collections.abc import AsyncIterator

from monkey_coder_server.adapters.limiter.shared import SharedLimiter
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.features import ops
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.settings import Settings


@contextlib.asynccontextmanager
async def open_shared(settings: Settings, metrics: Metrics) -> AsyncIterator[RedisStore | None]:
    """Connected as far as it can be reached: a gateway starts, and goes on, without it."""
    if settings.redis_url is None:
        yield None
        return
    store = RedisStore(settings.redis_url.reveal())
    track = metrics.track
    track("monkey_coder_redis_up", "1 while Redis answers in time.", lambda: float(store.healthy))
    track("monkey_coder_redis_calls", "Commands sent to Redis.", lambda: float(store.calls))
    track("monkey_coder_redis_failures", "Commands Redis did not carry out in time.", lambda: float(store.failures))
    track("monkey_coder_redis_refused", "Commands not sent because Redis was away.", lambda: float(store.refused))
    track("monkey_coder_redis_breaker_opened", "How often the breaker opened.", lambda: float(store.breaker.opened))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def throttles_of(books: Books, shared: RedisStore | None) -> Limiter:
    """Who counts what must not be guessed or flooded: one for all gateways where there is a store, else this one."""
    return books.limiter if shared is None else SharedLimiter(shared)


def redis_check(store: RedisStore) -> ops.Check:
    """Redis in `/health`. Nothing waits for it: requests go on without it, within this process's share."""

    async def probe() -> str:
        return ops.HEALTHY if store.healthy else ops.CARRIED

    return ops.Check(probe, needed=False)
