"""Which gateways serve from a database file: one that opens it alone knows that every open hold is an orphan.

A lock (flock) on a file beside the database, which the kernel lets go of however a process ends.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

SUFFIX = ".serving"


@asynccontextmanager
async def presence(path: Path, *, when_alone: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Count as a gateway on this file for the length of the block.

    `when_alone` runs first if there is no other; one that comes meanwhile waits for it. Raises `OSError`.
    """
    with path.with_name(path.name + SUFFIX).open("ab") as lock:
        if _taken(lock):
            await when_alone()
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_SH)
        yield


def _taken(lock: IO[bytes]) -> bool:
    """Whether nobody else has the file."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
