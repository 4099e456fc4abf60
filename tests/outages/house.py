"""Two gateways as processes on a PostgreSQL server of their own, simulators that bill, and the keys that ask."""

import contextlib
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.sandbox.server import BASE_PATHS
from tools import postgresql
from tools.processes import BIN, environment_of, free_port, server

PLENTY = Decimal(1000)
FREE_RATE = 1_000_000
"""Requests a minute."""
KEYS_A_PROVIDER = 16
"""One that was refused rests for a while; then there is another."""


@dataclass(frozen=True, slots=True)
class Payer:
    """A key. `most` nano-dollars are all it may ever spend, less than it asks for; None when it has plenty."""

    name: str
    key_id: str
    key: str
    account_id: str
    most: int | None = None


@dataclass(frozen=True, slots=True)
class House:
    """The gateways are asked at `doors` until `close`."""

    doors: tuple[str, ...]
    payers: tuple[Payer, ...]
    cluster: postgresql.Cluster
    simulators: str
    environment: Mapping[str, str]
    lives: contextlib.ExitStack

    def close(self) -> None:
        """Stop the gateways in order: all they have is booked, and leases go back."""
        self.lives.close()

    def admin(self, *arguments: str) -> Any:
        """Run an operator's command; its JSON."""
        return _admin(self.environment, *arguments)

    def command(self, *arguments: str) -> None:
        """Run an operator's command that prints for people."""
        command = [str(BIN / "monkey-server"), "admin", *arguments]
        subprocess.run(command, env=environment_of(self.environment), capture_output=True, check=True)

    def tally(self) -> Any:
        """What the simulators have billed."""
        return _ask(f"{self.simulators}/__sandbox/tally")

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the books."""
        with psycopg.connect(self.cluster.url) as connection:
            return connection.execute(query.encode()).fetchall()


@contextlib.contextmanager
def house(data: Path, *, limit: Decimal) -> Iterator[House]:
    """`limit`: USD that the key with a cap may spend, and that the small wallet holds. Raises `NoPostgresql`."""
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="monkey-outages-", ignore_cleanup_errors=True)
        place = Path(stack.enter_context(folder))
        place.chmod(0o711)
        cluster = postgresql.make(place / "server")
        stack.callback(cluster.remove)
        port = free_port()
        stack.enter_context(server(["sandbox", "--port", str(port)], {}, port, "/__sandbox/health", quiet=True))
        simulators = f"http://127.0.0.1:{port}"
        environment = operators_settings(data, cluster.url, simulators)
        accounts = [
            account_of(environment, name, credit) for name, credit in (("a", PLENTY), ("b", PLENTY), ("c", limit))
        ]
        lives = stack.enter_context(contextlib.ExitStack())
        doors = tuple(_gateway(lives, environment) for _ in range(2))
        yield House(doors, payers_of(doors[0], accounts, limit), cluster, simulators, environment, lives)


def operators_settings(data: Path, database: str, simulators: str) -> Mapping[str, str]:
    """As an operator sets it."""
    found = {"DATA_DIR": str(data), "DATABASE_URL": database, "LOG_LEVEL": "error", "DRAIN_SECONDS": "20"}
    for provider, path in BASE_PATHS.items():
        found[f"{provider.upper()}_API_KEY"] = ",".join(f"{provider}-key-{n}" for n in range(KEYS_A_PROVIDER))
        found[f"{provider.upper()}_BASE_URL"] = simulators + path
    return found


def _gateway(lives: contextlib.ExitStack, environment: Mapping[str, str]) -> str:
    """Start one; its address."""
    port = free_port()
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", "0"]
    lives.enter_context(server(arguments, environment, port, "/health", quiet=True))
    return f"http://127.0.0.1:{port}"


def payers_of(door: str, accounts: list[Mapping[str, str]], limit: Decimal) -> tuple[Payer, ...]:
    """Three keys with plenty, two of them of one account, one more of it with a cap; one with a small wallet."""
    rich, other, poor = accounts
    return (
        _payer("steady 1", door, rich),
        _payer("steady 2", door, rich),
        _payer("steady 3", door, other),
        _payer("with a cap", door, rich, most=limit, caps={"total_usd": str(limit)}),
        _payer("small wallet", door, poor, most=limit),
    )


def account_of(environment: Mapping[str, str], name: str, credit: Decimal) -> Mapping[str, str]:
    wish = ("--email", f"{name}@example.com", "--credit", str(credit), "--json")
    made: Mapping[str, str] = _admin(environment, "create-user", *wish)
    return made


def _payer(name: str, door: str, account: Mapping[str, str], *, most: Decimal | None = None, **wish: Any) -> Payer:
    """Make a key that may ask as often as it likes."""
    headers = {"authorization": f"Bearer {account['api_key']}", "content-type": "application/json"}
    made = _ask(f"{door}/v1/keys", json.dumps({"name": name, "rate": FREE_RATE, **wish}).encode(), headers)
    return Payer(
        name, made["key_id"], made["key"], account["account_id"], None if most is None else parse_usd(str(most))
    )


def _admin(environment: Mapping[str, str], *arguments: str) -> Any:
    command = [str(BIN / "monkey-server"), "admin", *arguments]
    done = subprocess.run(command, env=environment_of(environment), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - a loopback address
        return json.load(reply)
