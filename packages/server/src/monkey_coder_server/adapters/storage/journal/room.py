"""Room on the disk: bytes set aside so that running requests can end on a full one, and a look at what is free."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 1024 * 1024
"""Enough for some thousand endings, each on pages of its own, in the log and in the file."""
LOOK_SECONDS = 1
NO_ROOM = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE}
)
"""What SQLite says of a full disk; of a full quota (EDQUOT) it says that a write failed."""


class Room:
    """A file of allocated bytes, released when a transaction found no room and set aside again when there is.

    New requests need the reserve whole and as much again free; once that was missing, twice as much.
    """

    def __init__(self, reserve: Path, *, size: int = RESERVE_BYTES) -> None:
        self._path = reserve
        self._size = size
        self._whole = False
        self._enough = True
        self._looking: asyncio.Task[None] | None = None

    @property
    def enough(self) -> bool:
        """Whether new requests may be admitted, by the last look."""
        return self._whole and self._enough

    @property
    def whole(self) -> bool:
        """Whether the reserve is set aside."""
        return self._whole

    def look(self) -> None:
        """See what is free; set the reserve aside if it is missing and there is room. Blocks; never raises."""
        try:
            free = _free(self._path.parent)
            needed = self._size if self._enough else 2 * self._size
            if not self._whole and free >= needed + self._size:
                self._set_aside()
                free -= self._size
            self._tell(enough=self._whole and free >= needed)
        except OSError as error:
            logger.warning("no room can be set aside for the journal: %s", error.strerror)
            self._tell(enough=False)

    def release(self, error: sqlite3.Error) -> bool:
        """A transaction failed: give the reserve up if there was no room. Whether to try again."""
        if not self._whole or getattr(error, "sqlite_errorcode", None) not in NO_ROOM:
            return False
        self._whole = False
        self._tell(enough=False)
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return False
        logger.error("the disk is full: the journal's reserve is released, running requests may end")
        return True

    def start(self) -> None:
        """Look again every second, in a thread, until `stop`."""
        self._looking = asyncio.get_running_loop().create_task(self._look_again())

    async def stop(self) -> None:
        """Look no more. The reserve is given back by whoever removes the journal's files."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def figures(self) -> Mapping[str, int]:
        """For metrics."""
        return {"reserve_whole": int(self._whole)}

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look)

    def _set_aside(self) -> None:
        """Allocate it. Raises `OSError`, with nothing left behind."""
        try:
            with self._path.open("wb") as reserve:
                os.posix_fallocate(reserve.fileno(), 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        self._whole = True

    def _tell(self, *, enough: bool) -> None:
        if enough != self._enough:
            logger.warning("the disk has %s for new requests", "room again" if enough else "no room")
        self._enough = enough


def _free(directory: Path) -> int:
    """Bytes that a process without privileges may still write."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
