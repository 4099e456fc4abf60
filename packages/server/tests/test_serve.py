"""`run_server.py` as a platform runs it: a real process, its port, its signals, its end."""
# ruff: noqa: S603 - the processes started are this repository's own commands

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
SLOW = "write a small calculator [[sandbox tokens_per_second=400]]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    key: str
    environment: dict[str, str]

    def get(self, path: str, port: int | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        read = answer.status, answer.read()
        connection.close()
        return read

    @contextmanager
    def stream(self, prompt: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = json.dumps({"task_type": "code_generation", "prompt": prompt, "model": "openai/gpt-4.1-mini"})
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        connection.request("POST", "/v1/execute/stream", body, headers)
        with closing(connection), connection.getresponse() as answer:
            yield answer

    def books(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(run(self.environment, "admin", "ledger", "verify"))
        return read


def run(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "monkey_coder_server", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(data: Path, **more: str) -> Iterator[Server]:
    port, metrics_port = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        "DATA_DIR": str(data),
        "LOG_LEVEL": "warning",
        **more,
    }
    made = json.loads(run(environment, "admin", "create-user", "--email", "a@example.com", "--credit", "9", "--json"))
    process = subprocess.Popen([sys.executable, str(ROOT / "run_server.py"), "--sandbox"], env=environment, cwd=data)
    try:
        wait_until_ready(port)
        yield Server(process, port, metrics_port, made["api_key"], environment)
    finally:
        process.kill()
        process.wait()


def wait_until_ready(port: int) -> None:
    for _ in range(400):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not get ready within 20 s")


def test_a_stop_is_orderly_what_runs_is_finished_paid_and_receipted(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.stream(SLOW) as answer:
        assert answer.readline().startswith(b'data: {"type":"start"')
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert server.get("/health/ready")[0] == 503
        assert server.get("/health")[0] == 200
        status, body = server.get("/v1/models")
        assert (status, json.loads(body)["error_code"]) == (503, "unavailable")
        last = [line for line in answer.read().splitlines() if line.startswith(b"data: ")][-1]
        assert json.loads(last[6:])["data"]["status"] == "completed"
        assert server.process.wait(timeout=10) == 0
        books = server.books()
    assert books["sound"] is True
    assert books["totals_usd"]["customer_credit"] != "9.00"


def test_the_deadline_of_a_stop_is_kept_and_the_money_still_settled(tmp_path: Path) -> None:
    with serving(tmp_path, DRAIN_SECONDS="0") as server, server.stream(SLOW) as answer:
        assert answer.readline()
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=25) == 0
        assert time.monotonic() - started < 20
        assert server.books()["sound"] is True


def test_metrics_are_on_their_own_port_only(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        status, body = server.get("/metrics", server.metrics_port)
        assert status == 200
        assert b"monkey_coder_info" in body
        assert server.get("/metrics")[0] == 404
        assert server.get("/v1/models", server.metrics_port)[0] == 404


def test_a_taken_port_is_one_sentence_and_exit_78(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, str(ROOT / "run_server.py")]
        environment = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": port, "METRICS_PORT": "0"}
        environment["DATA_DIR"] = str(tmp_path)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 78
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_production_does_not_start_without_secrets(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "production", "DATA_DIR": str(tmp_path)}
    command = [sys.executable, str(ROOT / "run_server.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 78
    assert "JWT_SECRET_KEY is not set" in done.stderr
