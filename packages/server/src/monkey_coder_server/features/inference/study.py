"""Settles between requests what was learnt, and shares it with other processes and with whatever starts later."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from monkey_coder_server.domain.bandit.mark_weights import MarkWeights
from monkey_coder_server.domain.bandit.shrinkage import Shrinkage
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.sharing import Sharing


class Study:
    """Goes on every so many seconds. A database that is away delays what others learn of, never a request.

    Estimates run in a thread: of much evidence they take long.
    """

    def __init__(self, learning: Learning, sharing: Sequence[Sharing], *, seconds: float) -> None:
        self._learning = learning
        self._sharing = sharing
        self._seconds = seconds
        self._going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take in what was learnt before, then begin."""
        await self._step()
        self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Settle and write the rest, and end."""
        if self._going is not None:
            self._going.cancel()
            with suppress(asyncio.CancelledError):
                await self._going
        await self._step()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._step()

    async def _step(self) -> None:
        self._learning.told()
        for each in self._sharing:
            with suppress(GatewayError):
                await each.step()
        await self._settle()

    async def _settle(self) -> None:
        beliefs = self._learning.beliefs
        evidence = beliefs.unsettled()
        if evidence is not None:
            beliefs.settle(await asyncio.to_thread(Shrinkage.of, evidence, dict(beliefs.stated)))
        texts = self._learning.texts
        sums = texts.unsettled()
        if sums is not None:
            texts.settle(await asyncio.to_thread(MarkWeights.of, sums))
