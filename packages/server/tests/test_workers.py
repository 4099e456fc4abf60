"""`serve` with workers, as an operator has it: a file that is read again at SIGHUP, and no process left behind."""
# ruff: noqa: S603 - the processes started are this repository's own commands

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packages.server.tests.test_serve import free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Workers:
    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    file: Path
    log: Path

    def pids(self) -> set[int]:
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def figure(self, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30) as reply:
            lines = reply.read().decode().splitlines()
        return float(next(line.rsplit(" ", 1)[1] for line in lines if line.startswith(f"{name} ")))

    def allows(self, origin: str) -> bool:
        """Whether a browser's page of that origin may call."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/health", headers={"origin": origin})
        allowed = connection.getresponse().getheader("access-control-allow-origin") == origin
        connection.close()
        return allowed

    def reload(self, content: str) -> None:
        self.file.write_text(content)
        self.process.send_signal(signal.SIGHUP)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as reply:
        return bool(reply.status == 200)
    return False


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Two, with a file of variables."""
    port, metrics_port, file, log = free_port(), free_port(), tmp_path / "gateway.env", tmp_path / "log"
    file.write_text("CORS_ORIGINS=https://first.example\nWORKERS=2\n")
    place = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), "HOST": "127.0.0.1", "LOG_FORMAT": "json"}
    ports = ["--port", str(port), "--metrics-port", str(metrics_port)]
    command = [sys.executable, "-m", "monkey_coder_server", "serve", "--env-file", str(file), *ports]
    with log.open("wb") as told, subprocess.Popen(command, env=place, stdout=told, stderr=told) as process:
        try:
            until(lambda: b"workers: 2" in log.read_bytes() or process.poll() is not None)
            yield Workers(process, port, metrics_port, file, log)
        finally:
            process.kill()


def test_a_file_is_read_again_a_wrong_one_is_refused_and_workers_end_with_their_supervisor(workers: Workers) -> None:
    first = workers.pids()
    assert len(first) == workers.figure("monkey_coder_workers") == 2
    assert workers.allows("https://first.example")

    workers.reload("CORS_ORIGINS=https://second.example\nWORKERS=1\n")
    until(lambda: len(workers.pids()) == 1 and not workers.pids() & first)
    assert workers.allows("https://second.example")
    assert not workers.allows("https://first.example")

    [second] = workers.pids()
    for wrong, says in (
        ("CORS_ORIGINS=nonsense\nWORKERS=1\n", "CORS_ORIGINS is 'nonsense'"),
        (f"PORT={workers.port}\nDATABASE_URL=sqlite:////elsewhere.db\n", "DATABASE_URL cannot change while serving"),
        ("OPENAI_API_KEY=sk blank\n", "OPENAI_API_KEY holds blanks"),
    ):
        workers.reload(wrong)
        until(lambda says=says: says in workers.log.read_text())
        until(lambda: workers.pids() == {second})
        assert workers.allows("https://second.example")
    assert workers.figure('monkey_coder_reloads_total{outcome="done"}') == 1
    assert workers.figure('monkey_coder_reloads_total{outcome="refused"}') == 3
    assert "Traceback" not in workers.log.read_text()

    workers.process.kill()
    until(lambda: not Path(f"/proc/{second}").exists())


def test_a_stop_ends_all_workers_and_exits_0(workers: Workers) -> None:
    pids = workers.pids()
    for pid in pids:  # as a service's manager does, which tells each of its processes
        os.kill(pid, signal.SIGTERM)
    workers.process.send_signal(signal.SIGTERM)
    assert workers.process.wait(timeout=SECONDS) == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    lines = [json.loads(line) for line in workers.log.read_text().splitlines() if line.startswith("{")]
    assert not [line for line in lines if line["level"] in {"error", "critical"}]


@pytest.mark.parametrize(
    ("wrong", "says", "code"),
    [
        ({"OPENAI_API_KEY": "sk-canary sk-canary"}, "OPENAI_API_KEY holds blanks", 78),
        ({"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/x"}, "DATABASE_URL: Cannot open the", 69),
    ],
)
def test_what_workers_are_refused_for_is_said_once(tmp_path: Path, wrong: dict[str, str], says: str, code: int) -> None:
    place = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "HOST": "127.0.0.1", "WORKERS": "3"}
    ports = {"PORT": "0", "METRICS_PORT": "0"}
    command = [sys.executable, "-m", "monkey_coder_server", "serve"]
    done = subprocess.run(
        command, env=place | ports | wrong, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == code
    assert done.stderr.splitlines()[-1].startswith(f"monkey-server: {says}")
    assert done.stderr.count(says) == 1
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr


def test_one_process_says_that_it_does_not_reload_and_goes_on(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    place = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "HOST": "127.0.0.1", "METRICS_PORT": "0"}
    command = [sys.executable, "-m", "monkey_coder_server", "serve", "--port", str(port)]
    with (
        log.open("wb") as told,
        subprocess.Popen(command, env=place, stdin=subprocess.DEVNULL, stdout=told, stderr=told) as process,
    ):
        try:
            until(lambda: answers(port) or process.poll() is not None)
            process.send_signal(signal.SIGHUP)
            until(lambda: b"nothing was reloaded (set WORKERS)" in log.read_bytes() or process.poll() is not None)
            assert answers(port)
            process.terminate()
            assert process.wait(timeout=SECONDS) == 0
        finally:
            process.kill()
