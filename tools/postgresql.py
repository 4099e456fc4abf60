"""Private PostgreSQL servers for tests and benchmarks: a data directory and a port of their own, ended at will.

The server's programs are looked for on the PATH and under `/usr/lib/postgresql`. They refuse to run as root, so root
runs them as the user `postgres`.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.processes import free_port

USER = "postgres"
SETTINGS = (
    "listen_addresses = '127.0.0.1'",
    "max_connections = 300",
    "shared_buffers = '64MB'",
    "autovacuum_naptime = '5s'",
    "log_min_messages = fatal",
    "lc_messages = 'C'",
)
WITHOUT_SYNC = ("fsync = off", "full_page_writes = off", "synchronous_commit = on")
STARTUP_SECONDS = 30.0
MISSING = 69
"""Exit code of `python -m tools.postgresql` when there are no programs (EX_UNAVAILABLE of sysexits.h)."""


class NoPostgresql(Exception):
    """The server's programs are not installed."""


def programs() -> Path:
    """The folder of `initdb` and `postgres`, newest version first. Raises `NoPostgresql`."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgresql("There is no PostgreSQL server here; install the package `postgresql` (14 or newer).")
    return found[-1].parent


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server in `folder`, on a loopback port, that lets everybody in."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Its database `postgres`."""
        return self.database("postgres")

    def database(self, name: str) -> str:
        """A database of it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises `TimeoutError`."""
        log = self.folder / "server.log"
        _run("pg_ctl", "start", "--silent", "--no-wait", "-D", str(self.folder / "data"), "-l", str(log))
        until = time.monotonic() + STARTUP_SECONDS
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(log.read_text())
            time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """Stop it in order (`fast`) or at once (`immediate`), and wait for its end."""
        _run("pg_ctl", "stop", "--silent", "-m", mode, "-D", str(self.folder / "data"))

    def kill(self) -> None:
        """End every process of it with SIGKILL."""
        pids = self._pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(_lives(pid) for pid in pids):
            time.sleep(0.01)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Stop every process of it where it is: connections stand, nothing answers."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        """End it and delete its folder."""
        with suppress(FileNotFoundError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        command = [str(programs() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _pids(self) -> list[int]:
        """The postmaster and its children (Linux)."""
        postmaster = (self.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [int(pid) for pid in (postmaster, *children)]


def make(folder: Path, *, settings: Sequence[str] = WITHOUT_SYNC) -> Cluster:
    """Make a server in a folder that does not exist yet, and start it. Raises `NoPostgresql`.

    By default it does not sync to the disk: it survives that its processes are killed, not a power loss.
    """
    programs()
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    _run("initdb", "--no-sync", "--auth=trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "-D", str(data))
    cluster = Cluster(folder, free_port())
    lines = (*SETTINGS, *settings, "unix_socket_directories = ''", f"port = {cluster.port}")
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n".join(lines) + "\n")
    cluster.start()
    return cluster


def main(arguments: Sequence[str]) -> int:
    """`python -m tools.postgresql FOLDER`: make a server there and print its port."""
    try:
        print(make(Path(arguments[0])).port)
    except NoPostgresql as missing:
        print(missing, file=sys.stderr)
        return MISSING
    return 0


def _lives(pid: int) -> bool:
    """Whether a process still runs (Linux); one that only waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _run(program: str, *arguments: str) -> None:
    """Run a program of the server, never as root."""
    command = [str(programs() / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", USER, "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        message = f"{program} failed: {done.stdout}{done.stderr}"
        raise RuntimeError(message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
