"""One way to drive both clients, so that every test runs on the sync and on the async one."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from monkey_coder import AsyncClient
from monkey_coder._accounts import AsyncAuth, AsyncKeys
from monkey_coder._alerts import AsyncAlerts, AsyncWebhooks
from monkey_coder._factors import AsyncMfa
from monkey_coder._organizations import AsyncOrganizations
from monkey_coder._payments import AsyncPayments
from monkey_coder._plans import AsyncPlans
from monkey_coder._usage import AsyncUsage
from monkey_coder.async_client import AsyncStream

BASE = "http://gateway.test"


class Driver:
    """Makes the async client look synchronous."""

    def __init__(self, made: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._made = made
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return self._wrap(getattr(self._made, name))

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._wrap(self._made(*args, **options))

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                yield self._wrap(anext(self._made))
            except StopAsyncIteration:
                return

    def _wrap(self, value: Any) -> Any:
        if inspect.isawaitable(value):
            value = self._loop.run_until_complete(value)
        namespaces = (AsyncKeys, AsyncAuth, AsyncMfa, AsyncOrganizations, AsyncPayments, AsyncPlans)
        namespaces = (*namespaces, AsyncAlerts, AsyncWebhooks, AsyncUsage)
        if isinstance(value, (AsyncClient, AsyncStream, AsyncGenerator, *namespaces)) or inspect.ismethod(value):
            return Driver(value, self._loop)
        return value
