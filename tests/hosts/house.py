"""Two hosts on one PostgreSQL and one Redis, each behind a network of its own, with two gateways or one of two workers.

A host has a `DATA_DIR` of its own, so a journal of its own, and is cut off from a server by what is between them.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg

from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.hosts.namespaces import INSIDE, Cable
from tests.hosts.network import Link, Network, Wired
from tests.hosts.redis import Redis
from tests.hosts.wire import Wire
from tests.outages.house import PLENTY, House, account_of, operators_settings, payers_of
from tools import postgresql
from tools.processes import BIN, environment_of, free_port, server, wait_until_ready

HOSTS, PROCESSES = 2, 2
SHARED = {
    "DRAIN_NOTICE_SECONDS": "2",
    "DRAIN_SECONDS": "30",
    "KEY_STALENESS_SECONDS": "10",
    "CONNECTIONS_PER_ADDRESS": "0",
    "RATE_LIMIT_PER_MINUTE": "1000000",
    "KEY_PEPPER": hashlib.sha256(b"pepper").hexdigest(),
    "JWT_SECRET_KEY": hashlib.sha256(b"secret").hexdigest(),
}
"""What an operator gives every host."""
STOP_SECONDS = 60


@dataclass(slots=True)
class Gateway:
    """One process of a host."""

    network: Network
    port: int
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def door(self) -> str:
        """Where it is asked."""
        return f"http://{self.network.address}:{self.port}"

    def start(self, **more: str) -> None:
        """Begin its life, or another one with `more` settings, at the same door; returns once it answers."""
        serve = ["serve", "--host", self.network.address, "--port", str(self.port), "--metrics-port", "0"]
        command = self.network.command([str(BIN / "monkey-server"), *serve])
        self.process = subprocess.Popen(
            command, env=environment_of({**self.environment, **more}), stdout=subprocess.DEVNULL
        )
        wait_until_ready(self.process, f"{self.door}/health")

    def kill(self) -> None:
        """End every process of it where it is."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self.end()

    def end(self) -> int:
        """Wait for the end it was told to make; its exit code."""
        return self.process.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Stop it in order if it lives."""
        self.process.terminate()
        self.end()


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: its processes, and what is between it and the servers."""

    gateways: tuple[Gateway, ...]
    network: Network
    to_postgresql: Link | Wire
    to_redis: Link | Wire
    to_providers: Link | Wire

    @property
    def doors(self) -> tuple[str, ...]:
        """Where its processes are asked."""
        return tuple(gateway.door for gateway in self.gateways)


@dataclass(frozen=True, slots=True)
class Hosts(House):
    """The house of the outages on several hosts, with a Redis."""

    hosts: tuple[Host, ...]
    redis: Redis
    owner: str
    """A key of the owner of the first account."""
    workers: int
    """Of each gateway."""

    @property
    def processes(self) -> int:
        """How many serve."""
        return len(self.doors) * self.workers

    @property
    def looks(self) -> int:
        """How many connections in a row have to see a thing until every process behind a door is taken to see it."""
        return 1 if self.workers == 1 else 12

    @property
    def gateways(self) -> list[Gateway]:
        """All of them."""
        return [gateway for host in self.hosts for gateway in host.gateways]


@dataclass(frozen=True, slots=True)
class _Servers:
    """What all hosts use. `simulators` is the port of the providers."""

    cluster: postgresql.Cluster
    redis: Redis
    simulators: int


@contextlib.contextmanager
def hosts(data: Path, *, limit: Decimal, workers: int = 1) -> Iterator[Hosts]:
    """`limit`: USD that the key with a cap may spend, and that the small wallet holds.

    With one worker each a host has two gateways, else one of so many. Raises `NoPostgresql` and `NoRedis`.
    """
    apart = INSIDE in os.environ
    with contextlib.ExitStack() as stack:
        servers = _servers(stack, apart=apart)
        simulators = f"http://127.0.0.1:{servers.simulators}"
        settings = {**operators_settings(data, servers.cluster.url, simulators), **SHARED, "WORKERS": str(workers)}
        accounts = [
            account_of(settings, name, credit) for name, credit in zip("abc", (PLENTY, PLENTY, limit), strict=True)
        ]
        lives = stack.enter_context(contextlib.ExitStack())
        made = tuple(
            _host(lives, Cable(n) if apart else Wired(), {**settings, "DATA_DIR": str(data / f"host-{n}")}, servers)
            for n in range(HOSTS)
        )
        doors = tuple(gateway.door for host in made for gateway in host.gateways)
        payers, owner = payers_of(doors[0], accounts, limit), accounts[0]["api_key"]
        yield Hosts(doors, payers, servers.cluster, simulators, settings, lives, made, servers.redis, owner, workers)


def _servers(stack: contextlib.ExitStack, *, apart: bool) -> _Servers:
    """Start them; reached from other hosts too when those are `apart`."""
    anywhere = "0.0.0.0" if apart else "127.0.0.1"  # noqa: S104 - of a network of our own
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monkey-hosts-", ignore_cleanup_errors=True)))
    place.chmod(0o711)
    listening = f"listen_addresses = '{anywhere}'"
    cluster = postgresql.make(place / "server", settings=(*postgresql.WITHOUT_SYNC, listening))
    stack.callback(cluster.remove)
    if apart:
        with (cluster.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all all trust\n")
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
    redis = Redis(free_port(), place, anywhere)
    redis.start()
    stack.callback(redis.close)
    port = free_port()
    sandbox = ["sandbox", "--host", anywhere, "--port", str(port)]
    stack.enter_context(server(sandbox, {}, port, "/__sandbox/health", quiet=True))
    return _Servers(cluster, redis, port)


def _host(lives: contextlib.ExitStack, network: Network, environment: Mapping[str, str], servers: _Servers) -> Host:
    """Its gateways start one after another: the second finds a database that is up to date."""
    lives.callback(network.close)
    postgres, to_postgresql = network.reach(servers.cluster.port)
    redis, to_redis = network.reach(servers.redis.port)
    simulators, to_providers = network.reach(servers.simulators)
    own = {
        **environment,
        "DATABASE_URL": f"postgresql://{postgresql.USER}@{postgres}/postgres",
        "REDIS_URL": f"redis://{redis}/0",
        **{f"{name.upper()}_BASE_URL": f"http://{simulators}{path}" for name, path in BASE_PATHS.items()},
    }
    gateways = []
    for _ in range(PROCESSES if own["WORKERS"] == "1" else 1):
        gateways.append(Gateway(network, free_port(), own))
        gateways[-1].start()
        lives.callback(gateways[-1].close)
    return Host(tuple(gateways), network, to_postgresql, to_redis, to_providers)
