"""A Redis of the tests' own, which keeps nothing."""

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


class NoRedis(Exception):
    """The server's program is not installed."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A server at a port of `bind`; `lives` are its processes, the last one the one that runs."""

    port: int
    folder: Path
    bind: str
    lives: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start it, empty; returns once it answers. Raises `NoRedis`."""
        program = shutil.which("redis-server")
        if program is None:
            raise NoRedis("There is no Redis server here; install the package `redis-server`.")
        asked = ["--port", str(self.port), "--bind", self.bind, "--protected-mode", "no", "--save", ""]
        self.lives.append(subprocess.Popen([program, *asked, "--dir", str(self.folder)], stdout=subprocess.DEVNULL))
        for _ in range(200):
            if self.cli("PING") == "PONG":
                break
            time.sleep(0.02)

    def kill(self) -> None:
        """End it where it is."""
        self.lives[-1].kill()
        self.lives[-1].wait()

    def pause(self) -> None:
        """Stop it where it is: connections stand, nothing answers."""
        self.lives[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.lives[-1].send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever its state."""
        if self.lives[-1].poll() is None:
            self.kill()

    def cli(self, *words: str) -> str:
        """Say something to it."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
