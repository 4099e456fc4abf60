"""Snapshots in memory of what any process may change: looked at anew every few seconds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from monkey_coder_server.domain.errors import GatewayError

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 3


class Following:
    """Calls `refresh` at once and then every few seconds. `what` is its subject in the log."""

    def __init__(self, refresh: Callable[[], Awaitable[None]], what: str) -> None:
        self._refresh = refresh
        self._what = what
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take in what there is and begin to follow."""
        await self._refresh()
        self._task = asyncio.create_task(self._follow(), name=f"refresh of {self._what}")

    async def close(self) -> None:
        """Stop following. Harmless when it never began."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        """Refresh for ever; a store that is away leaves the snapshot as it is, which is told once."""
        told = False
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self._refresh()
                told = False
            except GatewayError as error:
                if not told:
                    logger.warning("%s were not refreshed: %s", self._what, error)
                told = True
