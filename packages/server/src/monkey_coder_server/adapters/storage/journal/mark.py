"""A mark beside a journal while endings wait in it for long: an empty file as old as the oldest of them.

Nobody else can read the journal of a living process. The mark everybody can, and it needs no room on a full disk.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1
WAITED_SECONDS = 2
"""Endings are shipped within some tenths of a second: nothing younger than this is marked."""


class Mark:
    """Set and taken away by the process that has the journal. `oldest` is how many seconds its oldest ending waits.

    A mark that was there before tells of endings that were left by a dead process: it stays until the journal goes.
    """

    def __init__(self, path: Path, oldest: Callable[[], int], clock: Clock) -> None:
        self._path = path
        self._oldest = oldest
        self._clock = clock
        self._inherited = path.exists()
        self._set = False
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look every second until `stop`."""
        self._looking = asyncio.get_running_loop().create_task(self._look_again())

    async def stop(self) -> None:
        """Look no more; the mark stays as it is."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def look(self) -> None:
        """Set the mark, move it, or take it away."""
        waited = self._oldest()
        if self._inherited or (waited < WAITED_SECONDS and not self._set):
            return
        since = to_micros(self._clock.now()) - waited * 1_000_000 if waited >= WAITED_SECONDS else None
        try:
            await asyncio.to_thread(_put, self._path, since)
            self._set = since is not None
        except OSError as error:
            logger.warning("it cannot be marked since when endings wait: %s", error.strerror)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()


def _put(path: Path, since: int | None) -> None:
    """Make the mark as old as a moment in microseconds, or take it away. Raises `OSError`."""
    if since is None:
        path.unlink(missing_ok=True)
    else:
        path.touch(mode=0o600)
        os.utime(path, ns=(since * 1_000, since * 1_000))
