"""The journals of all processes that share a directory: one is opened, those of the dead are adopted."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from monkey_coder_server.adapters.storage.journal import file
from monkey_coder_server.adapters.storage.journal.contents import Bounds, Contents
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal, Surroundings
from monkey_coder_server.adapters.storage.journal.mark import Mark
from monkey_coder_server.adapters.storage.journal.names import Names, instances, take
from monkey_coder_server.adapters.storage.journal.room import RESERVE_BYTES, Room
from monkey_coder_server.adapters.storage.journal.salvage import LaterLayout, recover
from monkey_coder_server.adapters.storage.journal.slots import SLOTS, Slots
from monkey_coder_server.adapters.storage.journal.sorting import Found
from monkey_coder_server.adapters.storage.writer import Writer
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)


class InstanceTaken(RuntimeError):
    """A living process has the journal of that name."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the journal is kept. `relaxed`: the last moments before a power loss may be gone after it."""

    relaxed: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    reserve_bytes: int = RESERVE_BYTES
    slots: int = SLOTS


class JournalDirectory:
    """Implements `ports.journal.Journals`."""

    def __init__(self, path: Path, *, clock: Clock, options: Options | None = None) -> None:
        self._path = path
        self._clock = clock
        self._options = options or Options()
        self.damages = 0
        """How many damages were found in adopted journals."""

    async def open(self, instance: str) -> SqliteJournal:
        """The journal of this process, under a name never used before.

        Raises `InstanceTaken`, and `OSError` or `sqlite3.Error` when the directory cannot be used.
        """
        names = Names(self._path, instance)
        lock = await asyncio.to_thread(self._lock_new, names)
        room = Room(names.reserve, size=self._options.reserve_bytes)
        slots = None
        try:
            await asyncio.to_thread(room.look)
            slots = await asyncio.to_thread(Slots, names.slots, self._options.slots)
            journal = await self._opened(names, Contents({}, {}), lock, room, slots)
            await asyncio.to_thread(names.sync)
        except BaseException:
            if slots is not None:
                slots.close()
            names.reserve.unlink(missing_ok=True)
            lock.close()
            raise
        room.start()
        return journal

    async def adopt(self) -> Sequence[SqliteJournal]:
        """Take over what dead processes left, empty journals as well: their leases are known by their names.

        What cannot be taken now is logged and left.
        """
        adopted = []
        for names, lock in await asyncio.to_thread(self._take_dead):
            try:
                if (found := await asyncio.to_thread(_recovered, names, lock)) is not None:
                    self.damages += len(found.damages)
                    adopted.append(await self._opened(names, found.contents(), lock))
            except (OSError, sqlite3.Error, LaterLayout) as error:
                logger.error("the journal of %s cannot be adopted now: %r", names.instance, error)  # noqa: TRY400 - it is tried again
                lock.close()
            except BaseException:
                lock.close()
                raise
        return adopted

    def _lock_new(self, names: Names) -> IO[bytes]:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take(names.lock)
        if lock is None:
            raise InstanceTaken(names.instance)
        return lock

    def _take_dead(self) -> list[tuple[Names, IO[bytes]]]:
        """Lock what nobody has locked, and give back the room it had set aside."""
        dead = []
        for instance in instances(self._path) if self._path.exists() else []:
            names = Names(self._path, instance)
            lock = take(names.lock)
            if lock is not None:
                names.reserve.unlink(missing_ok=True)
                dead.append((names, lock))
        return dead

    async def _opened(
        self,
        names: Names,
        contents: Contents,
        lock: IO[bytes],
        room: Room | None = None,
        slots: Slots | None = None,
    ) -> SqliteJournal:
        connect = partial(file.open_file, names.database, relaxed=self._options.relaxed)
        writer = Writer(connect, clock=self._clock, name="journal", rescue=room.release if room else None)
        await writer.start()
        return SqliteJournal(
            writer,
            contents,
            clock=self._clock,
            surroundings=self._surroundings(names, lock, room, slots),
            bounds=self._options.bounds,
        )

    def _surroundings(self, names: Names, lock: IO[bytes], room: Room | None, slots: Slots | None) -> Surroundings:
        def figures() -> Mapping[str, int]:
            return {
                "file_bytes": names.size(),
                "damaged": self.damages if room else 0,
                **(room.figures() if room else {}),
            }

        async def close(*, empty: bool) -> None:
            if room is not None:
                await room.stop()
            if slots is not None:
                slots.close()
            await asyncio.to_thread(_clear if empty else _leave, names, lock)

        sync = None if slots is None or self._options.relaxed else slots.sync

        def mark(oldest: Callable[[], int]) -> Mark:
            return Mark(names.mark, oldest, self._clock)

        return Surroundings(names.instance, lambda: room is not None and room.enough, figures, mark, slots, sync, close)


def _recovered(names: Names, lock: IO[bytes]) -> Found | None:
    """What a dead process left; None, and nothing of it stays, when it died before or after it had a journal."""
    if names.database.exists() or names.salvaged.exists():
        return recover(names)
    _clear(names, lock)
    return None


def _clear(names: Names, lock: IO[bytes]) -> None:
    """Remove a journal with nothing in it; its lock last, while it is held."""
    names.remove()
    names.lock.unlink(missing_ok=True)
    lock.close()


def _leave(names: Names, lock: IO[bytes]) -> None:
    """Leave a journal to be adopted."""
    names.reserve.unlink(missing_ok=True)
    lock.close()
