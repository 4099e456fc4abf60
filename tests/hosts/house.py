"""Two hosts with two gateways each, on one PostgreSQL and one Redis, every host behind wires of its own.

A host has a `DATA_DIR` of its own, so a journal of its own, and is cut off from a server by cutting its wire.
"""

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tests.hosts.wire import Wire
from tests.outages.house import PLENTY, House, account_of, operators_settings, payers_of
from tools import postgresql
from tools.processes import BIN, environment_of, free_port, server, wait_until_ready

HOSTS, PROCESSES = 2, 2
SHARED = {
    "DRAIN_SECONDS": "30",
    "KEY_STALENESS_SECONDS": "10",
    "RATE_LIMIT_PER_MINUTE": "1000000",
    "KEY_PEPPER": hashlib.sha256(b"pepper").hexdigest(),
    "JWT_SECRET_KEY": hashlib.sha256(b"secret").hexdigest(),
}
"""What an operator gives every host."""
STOP_SECONDS = 60


class NoRedis(Exception):
    """The server's program is not installed."""


@dataclass(slots=True)
class Gateway:
    """One process of a host."""

    port: int
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def door(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin its life, or another one, at the same door; returns once it answers."""
        serve = ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--metrics-port", "0"]
        command = [str(BIN / "monkey-server"), *serve]
        self.process = subprocess.Popen(command, env=environment_of(self.environment), stdout=subprocess.DEVNULL)
        wait_until_ready(self.process, f"{self.door}/health")

    def end(self) -> int:
        """Wait for the end it was told to make; its exit code."""
        return self.process.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Stop it in order if it lives."""
        self.process.terminate()
        self.end()


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: its processes, and its wires to the servers."""

    gateways: tuple[Gateway, ...]
    to_postgresql: Wire
    to_redis: Wire

    @property
    def doors(self) -> tuple[str, ...]:
        """Where its processes are asked."""
        return tuple(gateway.door for gateway in self.gateways)


@dataclass(frozen=True, slots=True)
class Redis:
    """A server of the tests' own on a loopback port, which keeps nothing."""

    port: int
    folder: Path

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; returns once it answers. Raises `NoRedis`."""
        program = shutil.which("redis-server")
        if program is None:
            raise NoRedis("There is no Redis server here; install the package `redis-server`.")
        asked = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        process = subprocess.Popen([program, *asked], stdout=subprocess.DEVNULL)
        for _ in range(200):
            if self.cli("PING") == "PONG":
                break
            time.sleep(0.02)
        return process

    def cli(self, *words: str) -> str:
        """Say something to it."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@dataclass(frozen=True, slots=True)
class Hosts(House):
    """The house of the outages on several hosts, with a Redis."""

    hosts: tuple[Host, ...]
    redis: Redis
    owner: str
    """A key of the owner of the first account."""

    @property
    def gateways(self) -> list[Gateway]:
        """All of them."""
        return [gateway for host in self.hosts for gateway in host.gateways]


@contextlib.contextmanager
def hosts(data: Path, *, limit: Decimal) -> Iterator[Hosts]:
    """`limit`: USD that the key with a cap may spend, and that the small wallet holds.

    Raises `NoPostgresql` and `NoRedis`.
    """
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="monkey-hosts-", ignore_cleanup_errors=True)
        place = Path(stack.enter_context(folder))
        place.chmod(0o711)
        cluster = postgresql.make(place / "server")
        stack.callback(cluster.remove)
        redis = Redis(free_port(), place)
        stack.callback(redis.start().wait)
        stack.callback(redis.cli, "SHUTDOWN", "NOSAVE")
        port = free_port()
        stack.enter_context(server(["sandbox", "--port", str(port)], {}, port, "/__sandbox/health", quiet=True))
        simulators = f"http://127.0.0.1:{port}"
        environment = {**operators_settings(data, cluster.url, simulators), **SHARED}
        accounts = [
            account_of(environment, name, credit) for name, credit in zip("abc", (PLENTY, PLENTY, limit), strict=True)
        ]
        lives = stack.enter_context(contextlib.ExitStack())
        made = tuple(_host(lives, data / f"host-{n}", environment, cluster, redis) for n in range(HOSTS))
        doors = tuple(gateway.door for host in made for gateway in host.gateways)
        payers = payers_of(doors[0], accounts, limit)
        yield Hosts(doors, payers, cluster, simulators, environment, lives, made, redis, accounts[0]["api_key"])


def _host(
    lives: contextlib.ExitStack,
    data: Path,
    environment: Mapping[str, str],
    cluster: postgresql.Cluster,
    redis: Redis,
) -> Host:
    """Its gateways start one after another: the second finds a database that is up to date."""
    to_postgresql, to_redis = Wire(cluster.port), Wire(redis.port)
    for wire in (to_postgresql, to_redis):
        lives.callback(wire.close)
    own = {
        **environment,
        "DATA_DIR": str(data),
        "DATABASE_URL": f"postgresql://{postgresql.USER}@127.0.0.1:{to_postgresql.port}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
    }
    gateways = []
    for _ in range(PROCESSES):
        gateways.append(Gateway(free_port(), own))
        lives.callback(gateways[-1].close)
    return Host(tuple(gateways), to_postgresql, to_redis)
