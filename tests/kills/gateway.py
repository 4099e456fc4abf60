"""Gateways, simulators and operator's commands as processes, on one database through many lives."""

import asyncio
import contextlib
import functools
import json
import multiprocessing
import os
import re
import runpy
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Self

import psycopg

from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.conftest import ROOT
from tools.processes import free_port

KEYS_A_PROVIDER = 64
"""A key that was refused rests for a minute; with so many there is always another."""
CREDIT = "1000"
READY_SECONDS = 60
STOP_SECONDS = 60
RECOVERED = re.compile(r"^monkey_coder_recovered_requests (\S+)$", re.MULTILINE)
PRODUCT = "monkey_coder_server"
SERVER = (sys.executable, "-m", PRODUCT)


def _place(data: Path, database: str) -> dict[str, str]:
    return {"DATA_DIR": str(data), **({"DATABASE_URL": database} if database else {})}


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, **more}


@dataclass(frozen=True, slots=True)
class Stage:
    """What stays while gateways come and go. `database` is a DATABASE_URL; without, SQLite in `data`, the DATA_DIR."""

    data: Path
    simulators: str
    port: int
    key: str
    database: str = ""
    metrics_port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    """More of what an operator sets."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Provider keys and addresses as an operator sets them."""
        found = {**_place(self.data, self.database), "LOG_LEVEL": "error", "DRAIN_SECONDS": "20"}
        for provider, path in BASE_PATHS.items():
            found[f"{provider.upper()}_API_KEY"] = ",".join(f"{provider}-key-{n}" for n in range(KEYS_A_PROVIDER))
            found[f"{provider.upper()}_BASE_URL"] = self.simulators + path
        return _environment({**found, **self.settings})

    def beside(self, data: Path | None = None) -> "Stage":
        """A place for another gateway on the same books: on this machine or, with a DATA_DIR of its own, on another."""
        return replace(self, data=data or self.data, port=free_port(), metrics_port=free_port())

    def admin(self, *arguments: str) -> Any:
        """Run an operator's command; its JSON."""
        return _admin(_place(self.data, self.database), *arguments)

    def tally(self) -> Mapping[str, Any]:
        """What the simulators have billed."""
        billed: Mapping[str, Any] = _ask(f"{self.simulators}/__sandbox/tally")
        return billed

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the books."""
        if self.database:
            with psycopg.connect(self.database) as connection:
                return connection.execute(query.encode()).fetchall()
        (path,) = self.data.glob("*.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
            return books.execute(query).fetchall()


@contextlib.contextmanager
def stage(data: Path, *, database: str = "", seed: int = 7, busy: bool = True) -> Iterator[Stage]:
    """Simulators that outlive every gateway, and an account with credit; `busy`: whose key has no rate to keep to."""
    port = free_port()
    command = [*SERVER, "sandbox", "--port", str(port), "--seed", str(seed)]
    with subprocess.Popen(command, env=_environment({}), cwd=ROOT, stdout=subprocess.DEVNULL) as sandbox:
        try:
            simulators = f"http://127.0.0.1:{port}"
            asyncio.run(_answers(f"{simulators}/__sandbox/health", lambda: sandbox.poll() is not None))
            owner = ("create-user", "--email", "owner@example.com", "--credit", CREDIT)
            made = _admin(_place(data, database), *owner)
            where = Stage(data, simulators, free_port(), made["api_key"], database)
            if busy:
                with Life(where) as first:
                    asyncio.run(first.ready())
                    where = replace(where, key=fresh_key(where.base_url, where.key))
            yield where
        finally:
            sandbox.terminate()


class Life:
    """One gateway process; stopped in order at the end of the block if it still lives."""

    def __init__(self, where: Stage, *launcher: str) -> None:
        """`launcher`: a module that stands in for `monkey-server`, and its own arguments."""
        module, *own = launcher or (PRODUCT,)
        ports = ["--host", "127.0.0.1", "--port", str(where.port), "--metrics-port", str(where.metrics_port)]
        self.stage = where
        self.process = nursery().Process(target=_live, args=(module, [*own, "serve", *ports], where.environment()))
        self.process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.join(STOP_SECONDS)
        assert self.process.exitcode is not None

    @property
    def killed(self) -> bool:
        """Whether it died of SIGKILL."""
        return self.process.exitcode == -signal.SIGKILL

    async def ready(self) -> bool:
        """Wait until it answers; False when it died before."""
        return await _answers(f"{self.stage.base_url}/health", lambda: self.process.exitcode is not None)

    async def recovered(self) -> int:
        """How many requests of dead processes it has ended."""
        url = f"http://127.0.0.1:{self.stage.metrics_port}/metrics"
        with await asyncio.to_thread(urllib.request.urlopen, url, timeout=10) as reply:
            found = RECOVERED.search(reply.read().decode())
        assert found
        return int(float(found[1]))

    def kill(self) -> None:
        """End it at no point in particular."""
        self.process.kill()
        self.process.join()


@functools.cache
def nursery() -> ForkServerContext:
    """Where gateways begin: a process that has read their code already, so that a life begins in little time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["monkey_coder_server.bootstrap.serve", "genai_prices.data", "alembic.command"])
    return context


def _live(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """In a process of its own: `python -m module arguments…`, at the project's root and without a word."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


async def _answers(url: str, ended: Callable[[], bool]) -> bool:
    async with asyncio.timeout(READY_SECONDS):
        while not ended():
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_ask, url)
                return True
            await asyncio.sleep(0.05)
    return False


def fresh_key(base_url: str, owner: str, **restrictions: Any) -> str:
    """A new key of the owner of another, that may ask as often as it likes."""
    body = json.dumps({"name": "fresh", "rate": 1_000_000, **restrictions}).encode()
    headers = {"authorization": f"Bearer {owner}", "content-type": "application/json"}
    key: str = _ask(f"{base_url}/v1/keys", body, headers)["key"]
    return key


def _admin(place: Mapping[str, str], *arguments: str) -> Any:
    command = [*SERVER, "admin", *arguments, "--json"] if arguments[0] != "ledger" else [*SERVER, "admin", *arguments]
    environment = _environment(place)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - a loopback address
        return json.load(reply)
