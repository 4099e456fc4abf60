"""Work nobody waits for, so that the time of an answer does not tell what was found while doing it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)
ROOM = 1_000
CLOSE_SECONDS = 10.0

Errand = Callable[[], Awaitable[None]]


class Errands:
    """Run one after the other; at the end those that wait are still run, if that is quick. Beyond `room` they drop."""

    def __init__(self, *, room: int = ROOM) -> None:
        self._waiting: asyncio.Queue[Errand] = asyncio.Queue(room)
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run errands until `stop`."""
        self._worker = asyncio.create_task(self._run())

    def take(self, errand: Errand) -> None:
        """Have an errand run soon; returns at once."""
        try:
            self._waiting.put_nowait(errand)
        except asyncio.QueueFull:
            logger.error("a mail was not written: too many are asked for")  # noqa: TRY400 - it is what was to happen

    async def settle(self) -> None:
        """Wait until all that were taken are run."""
        await self._waiting.join()

    async def stop(self) -> None:
        """Run what waits, as long as that goes quickly."""
        if self._worker is None:
            return
        try:
            await asyncio.wait_for(self.settle(), CLOSE_SECONDS)
        except TimeoutError:
            logger.error("mails that were asked for last are not written")  # noqa: TRY400 - it is what was to happen
        self._worker.cancel()
        await asyncio.wait({self._worker})

    async def _run(self) -> None:
        while True:
            errand = await self._waiting.get()
            try:
                await errand()
            except Exception as trouble:  # noqa: BLE001 - a loop's boundary; its text may name people
                logger.error("a mail was not written: %s", type(trouble).__name__)  # noqa: TRY400 - the same
            finally:
                self._waiting.task_done()
