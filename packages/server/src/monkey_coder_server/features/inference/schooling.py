"""Keeps what foresight learns: read back at the start, stored every few seconds and at the end."""

import asyncio
from contextlib import suppress

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.inference.foresight import Foresight
from monkey_coder_server.ports.lessons import Lessons


class Schooling:
    """A database that is away costs lessons, never a request: prices are only expected by them."""

    def __init__(self, foresight: Foresight, lessons: Lessons, *, seconds: float) -> None:
        self._foresight = foresight
        self._lessons = lessons
        self._seconds = seconds
        self._storing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn what was stored, before the first request."""
        with suppress(GatewayError):
            self._foresight.learn(await self._lessons.newest())
        self._storing = asyncio.create_task(self._store_on())

    async def stop(self) -> None:
        """Store the rest."""
        if self._storing is not None:
            self._storing.cancel()
            with suppress(asyncio.CancelledError):
                await self._storing
        await self._store()

    async def _store_on(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._store()

    async def _store(self) -> None:
        fresh = self._foresight.fresh()
        if fresh:
            with suppress(GatewayError):
                await self._lessons.keep(fresh)
