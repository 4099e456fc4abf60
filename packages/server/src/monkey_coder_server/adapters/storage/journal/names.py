"""What lies in the journal's directory, by the name of the process it belongs to."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DATABASE, SLOTS, LOCK, RESERVE, MARK = ".sqlite", ".slots", ".lock", ".reserve", ".waiting"
SALVAGING, SALVAGED, CORRUPT = ".salvaging", ".salvaged", ".corrupt"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, after its name."""


@dataclass(frozen=True, slots=True)
class Names:
    """The paths of one process's journal."""

    directory: Path
    instance: str

    @property
    def database(self) -> Path:
        """The journal itself."""
        return self.directory.joinpath(f"{self.instance}{DATABASE}")

    @property
    def slots(self) -> Path:
        """Requests without rows."""
        return self.directory.joinpath(f"{self.instance}{SLOTS}")

    @property
    def lock(self) -> Path:
        """Locked (flock) as long as its process lives."""
        return self.directory.joinpath(f"{self.instance}{LOCK}")

    @property
    def reserve(self) -> Path:
        """Bytes that are given up when the disk is full."""
        return self.directory.joinpath(f"{self.instance}{RESERVE}")

    @property
    def mark(self) -> Path:
        """There while endings wait for long; as old as the oldest of them."""
        return self.directory.joinpath(f"{self.instance}{MARK}")

    @property
    def salvaging(self) -> Path:
        """What could be read of a damaged file, while it is written."""
        return self.directory.joinpath(f"{self.instance}{SALVAGING}")

    @property
    def salvaged(self) -> Path:
        """The same, whole, on its way to take the damaged file's place."""
        return self.directory.joinpath(f"{self.instance}{SALVAGED}")

    @property
    def corrupt(self) -> Path:
        """A damaged file, for people to look at."""
        return self.directory.joinpath(f"{self.instance}{CORRUPT}")

    def size(self) -> int:
        """Bytes of the journal with its slots and what SQLite keeps beside it; 0 when there is none."""
        found = 0
        for path in (self.slots, *(Path(f"{self.database}{beside}") for beside in ("", *BESIDE))):
            with suppress(FileNotFoundError):
                found += path.stat().st_size
        return found

    def sync(self) -> None:
        """Make what was created and renamed here survive power loss. Raises `OSError`."""
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self) -> None:
        """Take everything but the lock and what is for people away. Raises `OSError`."""
        for path in (self.database, self.salvaging):
            remove_database(path)
        for path in (self.slots, self.reserve, self.mark):
            path.unlink(missing_ok=True)


def remove_database(path: Path) -> None:
    """Take a SQLite file and what is beside it away. Raises `OSError`."""
    for beside in BESIDE:
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def instances(directory: Path) -> list[str]:
    """The processes that left something here, oldest first where names sort by time. Raises `OSError`."""
    return sorted({path.stem for path in directory.iterdir() if path.suffix in {DATABASE, LOCK, SALVAGED}})


def take(path: Path) -> IO[bytes] | None:
    """Lock a file for as long as it is kept open; None while another has it. Raises `OSError`.

    Whoever removes a lock file holds it, so one that is not at its path any more is tried again.
    """
    while True:
        lock = path.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        if _is_at(path, lock):
            return lock
        lock.close()


def _is_at(path: Path, lock: IO[bytes]) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(lock.fileno()))
