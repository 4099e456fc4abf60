"""Programs with all their children: started, pinned to a core, waited for, weighed and stopped (Linux)."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.processes import TICKS, environment_of

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Program:
    """A running program, and how many seconds after its start it answered."""

    pid: int
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """User and system time of it and its living children."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def resident_mebibytes(self) -> float:
        """Resident memory of all of them; what they share counts in each."""
        return sum(_pages(pid, 1) for pid in _family(self.pid))

    def mapped_mebibytes(self) -> float:
        """What of that is pages of files: programs and libraries, which a process may lose and get again."""
        return sum(_pages(pid, 2) for pid in _family(self.pid))


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], ready: str, *, cores: frozenset[int], folder: Path
) -> Iterator[Program]:
    """Run a program in `folder` on `cores` until the block ends; it is there once `ready` answers at all."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment_of(environment),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.sched_setaffinity(process.pid, cores)
    try:
        _wait(process, ready)
        yield Program(process.pid, time.perf_counter() - begun)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", ready: str) -> None:
    until = time.perf_counter() + START_SECONDS
    while time.perf_counter() < until:
        if process.poll() is not None:
            message = f"{process.args!r} ended with exit code {process.returncode} before it answered"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(ready, timeout=1):  # noqa: S310 - a loopback address of ours
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    message = f"{ready} did not answer within {START_SECONDS:.0f} s"
    raise RuntimeError(message)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *[each for child in children for each in _family(int(child))]]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _pages(pid: int, field: int) -> float:
    """MiB of a field of /proc/PID/statm: 1 resident, 2 of files among that."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[field])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
