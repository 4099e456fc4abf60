"""Start the gateway and the simulators as real processes of their own, and read what CPU they used."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A running server of ours on a loopback port."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """User and system CPU time used so far by the process (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mebibytes(self) -> float:
        """Resident memory now (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment_of(more: Mapping[str, str]) -> dict[str, str]:
    """What a program of ours is started with: nothing of this process's own settings, and `more`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, **more}


@contextmanager
def server(  # noqa: PLR0913 - what is run, and how it is known to run
    arguments: list[str],
    environment: Mapping[str, str],
    port: int,
    ready_path: str,
    *,
    quiet: bool = False,
    through: Sequence[str] = (),
) -> Iterator[Process]:
    """Run `monkey-server …` until the block ends; ready when `ready_path` answers 200. `quiet`: its output is lost.

    `through`: a module that stands for the command, and what it takes before `arguments`.
    """
    output = subprocess.DEVNULL if quiet else None
    command = [sys.executable, "-m", *through] if through else [str(BIN / "monkey-server")]
    process = subprocess.Popen([*command, *arguments], env=environment_of(environment), stdout=output, stderr=output)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}{ready_path}")
        yield Process(process.pid, port)
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the URL answers 200. Raises `RuntimeError` when the process ends before, or after a minute."""
    for _ in range(1_200):
        if process.poll() is not None:
            message = f"the server ended with exit code {process.returncode} before it was ready"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:  # noqa: S310 - a loopback address made above
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    message = f"{url} did not answer within 60 s"
    raise RuntimeError(message)
