"""Two gateways as real processes on one PostgreSQL database: one set of books, also when the database was killed."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.contract_http import TASK, Outsider
from tools import postgresql
from tools.processes import BIN, free_port, server

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateways on postgresql"), pytest.mark.timeout(300)]
REQUESTS = 60
BACK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class House:
    """Two gateways over one database, and an account on it."""

    users: tuple[Outsider, Outsider]
    environment: dict[str, str]
    cluster: postgresql.Cluster

    def admin(self, *arguments: str) -> Any:
        return _json(self.environment, *arguments)


@pytest.fixture(scope="module")
def house(postgresql_server: postgresql.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """(The shared server is asked for first: where there is none, tests are skipped.)"""
    folder = Path(tempfile.mkdtemp(prefix="monkey-house-"))
    folder.chmod(0o711)
    with ExitStack() as stack:
        stack.callback(folder.rmdir)
        cluster = postgresql.make(folder / "server", settings=())
        stack.callback(cluster.remove)
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE books")
        data = tmp_path_factory.mktemp("data")
        environment = {"DATA_DIR": str(data), "LOG_LEVEL": "error", "DATABASE_URL": cluster.database("books")}
        made = _json(environment, "create-user", "--email", "owner@example.com", "--credit", "100", "--json")
        users = []
        for _ in range(2):
            port = free_port()
            arguments = ["serve", "--sandbox", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", "0"]
            stack.enter_context(server(arguments, environment, port, "/health"))
            users.append(Outsider(f"http://127.0.0.1:{port}", made["api_key"]))
        yield House((users[0], users[1]), environment, cluster)


def _json(environment: dict[str, str], *arguments: str) -> Any:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(BIN / "monkey-server"), "admin", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def wait_until_ready_is(house: House, status: int) -> None:
    until = time.monotonic() + BACK_SECONDS
    while {user.send("GET", "/health/ready").status for user in house.users} != {status}:
        assert time.monotonic() < until
        time.sleep(0.1)


def at_rest(house: House) -> Decimal:
    """The balance once everything is booked and what was leased is given back: a lease lasts while it is used."""
    until = time.monotonic() + BACK_SECONDS
    while True:
        [user] = house.admin("list-users", "--json")
        if Decimal(user["held_usd"]) == 0:
            return Decimal(user["balance_usd"])
        assert time.monotonic() < until, user
        time.sleep(0.5)


def test_both_serve_from_one_set_of_books(house: House) -> None:
    def ask(number: int) -> Decimal:
        answer = house.users[number % 2].send("POST", "/v1/execute", TASK)
        assert answer.status == 200, answer.raw
        return Decimal(answer.body["result"]["metadata"]["cost_usd"])

    before = at_rest(house)
    with ThreadPoolExecutor(8) as pool:
        costs = list(pool.map(ask, range(REQUESTS)))
    assert at_rest(house) == before - sum(costs)
    assert house.admin("ledger", "verify")["sound"]


def test_a_key_made_at_one_is_good_at_the_other(house: House) -> None:
    made = house.users[0].send("POST", "/v1/keys", {"name": "other"}).body["key"]
    assert Outsider(house.users[1].base_url, made).send("GET", "/v1/billing/balance").status == 200


def test_they_serve_again_after_the_database_was_killed(house: House) -> None:
    house.cluster.kill()
    try:
        assert house.users[0].send("GET", "/v1/billing/balance").status == 503
        wait_until_ready_is(house, 503)
    finally:
        house.cluster.start()
    wait_until_ready_is(house, 200)
    for user in house.users:
        assert user.send("POST", "/v1/execute", TASK).status == 200
    assert house.admin("ledger", "verify")["sound"]
