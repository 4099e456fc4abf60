"""Gateway, simulators and operator's commands as processes, on one DATA_DIR through many lives."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.conftest import ROOT
from tools.processes import free_port

KEYS_A_PROVIDER = 64
"""A key that was refused rests for a minute; with so many there is always another."""
CREDIT = "1000"
READY_SECONDS = 30
STOP_SECONDS = 60
SERVER = (sys.executable, "-m", "monkey_coder_server")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, **more}


@dataclass(frozen=True, slots=True)
class Stage:
    """What stays while gateways come and go."""

    data: Path
    simulators: str
    port: int
    key: str

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Provider keys and addresses as an operator sets them."""
        found = {"DATA_DIR": str(self.data), "LOG_LEVEL": "error", "DRAIN_SECONDS": "20"}
        for provider, path in BASE_PATHS.items():
            found[f"{provider.upper()}_API_KEY"] = ",".join(f"{provider}-key-{n}" for n in range(KEYS_A_PROVIDER))
            found[f"{provider.upper()}_BASE_URL"] = self.simulators + path
        return _environment(found)

    def admin(self, *arguments: str) -> Any:
        """Run an operator's command; its JSON."""
        return _admin(self.data, *arguments)

    def tally(self) -> Mapping[str, Any]:
        """What the simulators have billed."""
        return _ask(f"{self.simulators}/__sandbox/tally")


@contextlib.contextmanager
def stage(data: Path, *, seed: int = 7, busy: bool = True) -> Iterator[Stage]:
    """Simulators that outlive every gateway, and an account with credit; `busy`: whose key has no rate to keep to."""
    port = free_port()
    command = [*SERVER, "sandbox", "--port", str(port), "--seed", str(seed)]
    with subprocess.Popen(command, env=_environment({}), cwd=ROOT, stdout=subprocess.DEVNULL) as sandbox:
        try:
            simulators = f"http://127.0.0.1:{port}"
            asyncio.run(_answers(f"{simulators}/__sandbox/health", sandbox))
            made = _admin(data, "create-user", "--email", "owner@example.com", "--credit", CREDIT)
            where = Stage(data, simulators, free_port(), made["api_key"])
            if busy:
                with Life(where) as first:
                    asyncio.run(first.ready())
                    where = replace(where, key=_busy_key(where))
            yield where
        finally:
            sandbox.terminate()


class Life:
    """One gateway process; stopped in order at the end of the block if it still lives."""

    def __init__(self, where: Stage, *launcher: str) -> None:
        """`launcher`: a module that stands in for `monkey-server`, and its own arguments."""
        program = [sys.executable, "-m", *launcher] if launcher else list(SERVER)
        ports = ["--host", "127.0.0.1", "--port", str(where.port), "--metrics-port", "0"]
        self.stage = where
        self.process = subprocess.Popen(
            [*program, "serve", *ports], env=where.environment(), cwd=ROOT, stdout=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(STOP_SECONDS)

    @property
    def killed(self) -> bool:
        """Whether it died of SIGKILL."""
        return self.process.poll() == -signal.SIGKILL

    async def ready(self) -> bool:
        """Wait until it answers; False when it died before."""
        return await _answers(f"{self.stage.base_url}/health", self.process)

    def kill(self) -> None:
        """End it at no point in particular."""
        self.process.kill()
        self.process.wait()


async def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    async with asyncio.timeout(READY_SECONDS):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_ask, url)
                return True
            await asyncio.sleep(0.05)
    return False


def _busy_key(where: Stage) -> str:
    """A key that may ask as often as it likes."""
    body = json.dumps({"name": "kills", "rate": 1_000_000}).encode()
    headers = {"authorization": f"Bearer {where.key}", "content-type": "application/json"}
    key: str = _ask(f"{where.base_url}/v1/keys", body, headers)["key"]
    return key


def _admin(data: Path, *arguments: str) -> Any:
    command = [*SERVER, "admin", *arguments, "--json"] if arguments[0] != "ledger" else [*SERVER, "admin", *arguments]
    environment = _environment({"DATA_DIR": str(data)})
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - a loopback address
        return json.load(reply)
