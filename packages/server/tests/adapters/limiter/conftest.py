"""The Redis of a world of processes on one bank."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.adapters.redis import store as store_module
from packages.server.tests.redis_server import SHARED, own_prefix


@pytest_asyncio.fixture
async def redis(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisStore]:
    """The bank is away when a world says so, not when this machine has much to do."""
    monkeypatch.setattr(store_module, "DEADLINE", 5.0)
    store = RedisStore(SHARED, prefix=own_prefix())
    await store.open()
    yield store
    await store.close()
