"""`monkey` as a script calls it, against the real gateway: each exit code once for real, `--json` on every command."""

import http.server
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider
from tools.processes import BIN

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
REST_API = "create a REST API"
MODEL = "openai/gpt-4.1-mini"


@dataclass(frozen=True, slots=True)
class Monkey:
    """Runs the installed command in one folder with one environment."""

    folder: Path
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, given: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BIN / "monkey"), *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def monkey(gateway: RunningGateway, tmp_path: Path) -> Monkey:
    (tmp_path / "work").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "MONKEY_CODER_BASE_URL": gateway.base_url,
        "MONKEY_CODER_API_KEY": gateway.api_key,
    }
    return Monkey(tmp_path / "work", environment)


class _Broken(http.server.BaseHTTPRequestHandler):
    """A gateway that made a mistake."""

    def do_GET(self) -> None:
        sentence = "The gateway made a mistake; it was logged."
        body = json.dumps({"detail": sentence, "message": sentence, "error_code": "internal", "status_code": 500})
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def broken_gateway() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fails(done: "subprocess.CompletedProcess[str]", code: int, says: str) -> None:
    """It ends with the code, its sentence is the last line of stderr, and stdout carries no error."""
    assert done.returncode == code, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("monkey: ")
    assert says in last
    assert "Traceback" not in done.stderr
    assert "monkey:" not in done.stdout


def test_a_newcomers_way_from_registration_to_a_verified_receipt(monkey: Monkey, tmp_path: Path) -> None:
    person = Monkey(monkey.folder, {key: value for key, value in monkey.environment.items() if "API_KEY" not in key})
    email = f"{uuid.uuid4().hex}@example.com"
    joined = person("auth", "register", "--email", email, "--password-stdin", given="several plain words together\n")
    assert (joined.returncode, joined.stdout) == (0, f"Logged in as {email}.\n")
    stored = tmp_path / ".config/monkey-coder/config.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(stored.read_text())) == {"apiKey"}
    token = person("auth", "token").stdout.strip()
    assert token == json.loads(stored.read_text())["apiKey"]
    made = person("implement", REST_API, "-o", "api")
    assert made.returncode == 0
    written = sorted(path for path in (monkey.folder / "api").rglob("*") if path.is_file())
    assert len(written) > 3
    for path in written:
        assert f"wrote {path}" in made.stderr
    *_, summary = made.stderr.splitlines()
    receipt = summary.rpartition("receipt ")[2]
    verified = person("receipts", "verify", receipt)
    assert (verified.returncode, "is valid" in verified.stdout) == (0, True)
    assert person("auth", "logout").returncode == 0
    fails(person("balance"), 77, "not logged in")
    assert Outsider(person.environment["MONKEY_CODER_BASE_URL"], token).get("/v1/models").status == 401


def test_files_are_never_replaced_unasked_nor_written_outside(monkey: Monkey) -> None:
    ask = ("implement", REST_API, "--model", MODEL, "-o", "api", "-q")
    assert monkey(*ask).returncode == 0
    victim = next(path for path in (monkey.folder / "api").rglob("*.py"))
    victim.write_text("mine\n")
    fails(monkey(*ask), 1, "nothing was written. Repeat with --force")
    assert victim.read_text() == "mine\n"
    assert monkey(*ask, "--force").returncode == 0
    assert victim.read_text() != "mine\n"
    (monkey.folder / "api").rename(monkey.folder / "elsewhere")
    (monkey.folder / "api").mkdir()
    for entry in (monkey.folder / "elsewhere").iterdir():
        if entry.is_dir():
            (monkey.folder / "api" / entry.name).symlink_to("/tmp")  # noqa: S108 - must not be written through
    fails(monkey(*ask), 65, "nothing was written")


def test_a_dash_reads_the_prompt_or_a_file_from_stdin(monkey: Monkey) -> None:
    asked = monkey("implement", "-", "--model", MODEL, "--json", given=REST_API)
    assert "REST API" in json.loads(asked.stdout)["result"]["result"]
    explained = monkey("explain", "-", "--model", MODEL, given="print('piped')\n")
    assert explained.returncode == 0
    assert explained.stdout.strip()


def test_usage_and_limits_have_their_own_codes(monkey: Monkey, gateway: RunningGateway) -> None:
    fails(monkey("implement"), 2, "Missing argument 'PROMPT'")
    fails(monkey("implement", "x", "--max-cost", "0.0000001"), 3, "max_cost")
    fails(monkey("implement", "just talk", "--model", MODEL, "-o", "none"), 65, "holds no files")
    user = Outsider(gateway.base_url, gateway.api_key)
    capped = user.post("/v1/keys", {"name": "capped", "caps": {"total_usd": "0.000000001"}}).body["key"]
    fails(monkey("explain", "-", given="x", MONKEY_CODER_API_KEY=capped), 4, "limit")
    slow = user.post("/v1/keys", {"name": "slow", "rate": 1}).body["key"]
    assert monkey("explain", "-", given="x", MONKEY_CODER_API_KEY=slow).returncode == 0
    fails(monkey("explain", "-", "--timeout", "2", given="x", MONKEY_CODER_API_KEY=slow), 5, "1 requests a minute")


def test_what_is_wrong_outside_has_its_own_codes(monkey: Monkey, broken_gateway: str) -> None:
    began = time.monotonic()
    fails(monkey("balance", MONKEY_CODER_BASE_URL="http://127.0.0.1:1"), 69, "Cannot reach http://127.0.0.1:1")
    assert time.monotonic() - began < 3
    fails(monkey("balance", MONKEY_CODER_BASE_URL=broken_gateway), 70, "made a mistake")
    mistyped = monkey.environment["MONKEY_CODER_API_KEY"][:-1] + "_"
    fails(monkey("balance", MONKEY_CODER_API_KEY=mistyped), 77, "monkey auth login")
    fails(monkey("balance", MONKEY_CODER_BASE_URL="nonsense"), 78, "must look like https://host")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_its_code(monkey: Monkey, number: signal.Signals, code: int) -> None:
    prompt = "say [[sandbox fault=slow_drip delay=0.2 text='a long answer that takes its time' chunk=2]]"
    command = [str(BIN / "monkey"), "implement", prompt, "--model", "openai/gpt-4.1"]
    with subprocess.Popen(
        command, cwd=monkey.folder, env=dict(monkey.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 10)
        process.send_signal(number)
        _, told = process.communicate(timeout=10)
    assert process.returncode == code
    assert b"Traceback" not in told


COMMANDS = (
    "implement x", "build x", "test a.py", "review a.py", "analyze a.py", "explain a.py", "chat hello", "quote x",
    "models", "providers", "usage", "balance", "statement", "health", "keys list", "keys create ci", "auth status",
    "auth token", "auth logout", "config list", "config path", "config get baseUrl", "config set defaultPersona tester",
    "config unset defaultPersona", "help", "help implement",
)  # fmt: skip


def test_json_is_one_document_and_nothing_else_on_stdout_of_every_command(monkey: Monkey) -> None:
    (monkey.folder / "a.py").write_text("print(1)\n")
    with ThreadPoolExecutor(4) as pool:
        runs = dict(zip(COMMANDS, pool.map(lambda words: monkey(*words.split(), "--json"), COMMANDS), strict=True))
    for words, done in runs.items():
        assert done.returncode == 0, (words, done.stderr)
        assert isinstance(json.loads(done.stdout), dict), words
        assert "\x1b" not in done.stdout + done.stderr, words


@pytest.mark.parametrize(
    ("words", "code"),
    [("implement x --model gpt-99", 2), ("receipts show rcpt_0", 2), ("feedback req_0 accepted", 2), ("nonsense", 2),
     ("keys revoke key_0 --yes", 2)],
)  # fmt: skip
def test_errors_are_json_too(monkey: Monkey, words: str, code: int) -> None:
    done = monkey(*words.split(), "--json")
    assert done.returncode == code
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert {"code", "message", "hint", "request_id"} == set(error)
    assert done.stderr.startswith("monkey: ")


def test_a_stream_as_json_is_one_event_a_line(monkey: Monkey) -> None:
    done = monkey("implement", REST_API, "--model", MODEL, "--json", "--stream")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "start"
    assert events[-1]["type"] == "complete"
