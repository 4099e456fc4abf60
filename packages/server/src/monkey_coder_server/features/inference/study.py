"""Settles what was learnt between requests: what answers showed is believed, and how far kinds of work are."""

import asyncio
from contextlib import suppress

from monkey_coder_server.domain.bandit.shrinkage import Shrinkage
from monkey_coder_server.features.inference.learning import Learning


class Study:
    """Goes on every so many seconds. The estimate runs in a thread: of much evidence it takes long."""

    def __init__(self, learning: Learning, *, seconds: float) -> None:
        self._learning = learning
        self._seconds = seconds
        self._going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Settle the rest and end."""
        if self._going is not None:
            self._going.cancel()
            with suppress(asyncio.CancelledError):
                await self._going
        await self.settle()

    async def settle(self) -> None:
        """Settle what was learnt since the last time."""
        self._learning.told()
        beliefs = self._learning.beliefs
        evidence = beliefs.unsettled()
        if evidence is not None:
            beliefs.settle(await asyncio.to_thread(Shrinkage.of, evidence, dict(beliefs.stated)))

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.settle()
