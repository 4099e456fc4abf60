"""Small disks to fill: a real one where mounting is allowed, and a scripted one that works everywhere."""

import contextlib
import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from monkey_coder_server.adapters.storage.journal import file, room

KIB = 1024
SIZE = 4 * 1024 * KIB
A_COMMIT = 64 * KIB
A_PIECE, A_PAGE = 256 * KIB, 4 * KIB
BLOCK = 512


@dataclass(frozen=True)
class Disk:
    """A directory that holds so many bytes in all."""

    path: Path
    size: int = SIZE

    @property
    def ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Take what is free now, and no more: not what the journal gives up meanwhile so that requests can end."""
        left = self.free()
        with self.ballast.open("ab", buffering=0) as ballast:
            for piece in (A_PIECE, A_PAGE):
                with contextlib.suppress(OSError):
                    while left >= piece:
                        self.write(ballast.fileno(), piece)
                        left -= piece

    def free(self) -> int:
        """Bytes that may still be written."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def write(self, handle: int, size: int) -> None:
        """Raises `OSError` without room."""
        os.write(handle, bytes(size))

    def clear(self) -> None:
        """Make room again."""
        self.ballast.unlink()


class ScriptedDisk(Disk):
    """Adds up what lies in it; what would be too much is refused, as a full disk does."""

    def used(self) -> int:
        return sum(path.stat().st_blocks * BLOCK for path in self.path.rglob("*") if path.is_file())

    def free(self) -> int:
        return max(0, self.size - self.used())

    def write(self, handle: int, size: int) -> None:
        if self.used() + size > self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(handle, size)

    def statvfs(self, _path: object) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free(), f_frsize=1)


class _Connection:
    """As much of a connection as the writer uses; its commits need room."""

    def __init__(self, connection: sqlite3.Connection, disk: ScriptedDisk) -> None:
        self._connection = connection
        self._disk = disk

    def cursor(self) -> sqlite3.Cursor:
        return self._connection.cursor()

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def commit(self) -> None:
        if self._disk.used() + A_COMMIT > self._disk.size:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def scripted(path: Path, monkeypatch: pytest.MonkeyPatch, *, size: int = SIZE) -> ScriptedDisk:
    """Let the journal believe in a small disk."""
    disk = ScriptedDisk(path, size)
    real = file.open_file

    def open_file(where: Path, *, relaxed: bool = False) -> sqlite3.Connection:
        return cast("sqlite3.Connection", _Connection(real(where, relaxed=relaxed), disk))

    monkeypatch.setattr(file, "open_file", open_file)
    monkeypatch.setattr(room.os, "statvfs", disk.statvfs)
    return disk


@contextlib.contextmanager
def mounted(path: Path, *, size: int = SIZE) -> Iterator[Disk]:
    """A file system in memory of its own. Raises `PermissionError` where this is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    try:
        refused = subprocess.run(mount, capture_output=True, check=False).returncode  # noqa: S603 - our own arguments
    except FileNotFoundError:
        refused = 1
    if refused:
        raise PermissionError(path)
    try:
        yield Disk(path, size)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S603, S607 - our own arguments
