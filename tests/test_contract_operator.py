"""`monkey-server` as an operator types it, and the process as a platform starts it."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunningGateway
from tests.contract_http import Outsider
from tools.processes import BIN, free_port

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
STRONG = {"JWT_SECRET_KEY": secrets.token_urlsafe(48), "KEY_PEPPER": secrets.token_urlsafe(48)}


def command(
    *arguments: str, given: str = "", where: Path = ROOT / "docs", **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run `monkey-server …` with nothing but these variables."""
    return subprocess.run(
        [str(BIN / "monkey-server"), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=where,
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_create_user_prints_four_keys_and_the_account_works_at_once(gateway: RunningGateway) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    assert command("admin", "plans", "set", "pro", "--name", "Pro", **gateway.environment).returncode == 0
    arguments = [
        "admin",
        "create-user",
        "--email",
        email,
        "--password-stdin",
        "--credit",
        "2.5",
        "--plan",
        "pro",
        "--json",
    ]
    made = command(*arguments, given="a pass phrase of words\n", **gateway.environment)
    assert (made.returncode, made.stderr) == (0, "")
    account = json.loads(made.stdout)
    assert set(account) == {"user_id", "account_id", "api_key", "credit_usd"}
    assert account["credit_usd"] == "2.50"
    user = Outsider(gateway.base_url, account["api_key"])
    assert user.task().status == 200
    login = Outsider(gateway.base_url).post("/v1/auth/login", {"email": email, "password": "a pass phrase of words"})
    assert login.body["user"]["subscription_tier"] == "pro"
    granted = command("admin", "grant", "--email", email, "--usd", "1", "--reason", "a test", **gateway.environment)
    assert granted.stdout.startswith(f"granted 1.00 USD to {email}")
    assert float(user.get("/v1/billing/balance").body["balance_usd"]) > 3
    again = command("admin", "create-user", "--email", email, "--json", **gateway.environment)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "monkey-server: An account with this e-mail address exists already; log in instead.\n"
    listed = json.loads(command("admin", "list-users", "--json", **gateway.environment).stdout)
    assert email in {one["email"] for one in listed}


def test_the_books_of_the_running_gateway_are_sound(gateway: RunningGateway) -> None:
    verified = command("admin", "ledger", "verify", **gateway.environment)
    report = json.loads(verified.stdout)
    assert (verified.returncode, report["sound"]) == (0, True)
    assert not any(report["checks"].values())
    current, newest = re.findall(r"\d{4}", command("db", "current", **gateway.environment).stdout)
    assert current == newest


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    arguments = [str(BIN / "monkey-server"), "admin", "prices"]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (141, b"")


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["serve"], {"ENVIRONMENT": "production"}, "JWT_SECRET_KEY is not set"),
        (["serve"], {"ENVIRONMENT": "production", **STRONG, "KEY_PEPPER": "changeme" * 8}, "KEY_PEPPER is too weak"),
        (["check-config"], {"ENVIRONMENT": "staging"}, "one of development, production"),
        (["serve"], {"WORKERS": "none"}, "WORKERS"),
        (["serve"], {"PORT": "http"}, "PORT is 'http'"),
        (["serve"], {"DATABASE_URL": "mysql://localhost/x"}, "SQLite or PostgreSQL"),
    ],
    ids=["no secret", "weak secret", "unknown environment", "workers", "port", "database"],
)
def test_broken_configuration_is_78_with_one_sentence(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], says: str
) -> None:
    done = command(*arguments, **{"DATA_DIR": str(tmp_path), **environment})
    assert (done.returncode, done.stdout) == (78, "")
    told = [line for line in done.stderr.splitlines() if "WARNING" not in line]
    assert len(told) == 1
    assert told[0].startswith("monkey-server: ")
    assert says in told[0]
    assert "changeme" not in done.stderr


def test_a_database_that_is_away_is_69_with_one_sentence(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://me:changeme@127.0.0.1:1/x"}
    done = command("serve", **{"DATA_DIR": str(tmp_path), **away})
    assert (done.returncode, done.stdout) == (69, "")
    (told,) = [line for line in done.stderr.splitlines() if "WARNING" not in line]
    assert "is the server running?)" in told
    assert "changeme" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve", "--port", "x"], ["admin", "grant"]])
def test_a_command_nobody_knows_is_2(arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert "usage: monkey-server" in done.stderr


def test_every_variable_is_listed_and_a_taken_port_is_named(gateway: RunningGateway, tmp_path: Path) -> None:
    listed = command("serve", "--help-env").stdout
    for name in ("ENVIRONMENT", "DATA_DIR", "OPENAI_API_KEY", "MOONSHOT_BASE_URL", "MARKUP_PERCENT", "KEY_PEPPER"):
        assert f"  {name}  (default: " in listed
    port = gateway.base_url.rpartition(":")[2]
    arguments = ["serve", "--host", "127.0.0.1", "--port", port, "--metrics-port", "0"]
    taken = command(*arguments, DATA_DIR=str(tmp_path), LOG_LEVEL="error")
    assert taken.returncode == 78
    assert f"127.0.0.1:{port}" in taken.stderr


def test_dotenv_counts_in_development_only_and_secrets_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f'TRIAL_CREDIT_USD=7\nexport GROQ_API_KEY="gsk_one,gsk_two"\nDATA_DIR={tmp_path}/d\n'
    )
    read = command("check-config", where=tmp_path)
    assert "trial_credit_usd       7\n" in read.stdout
    assert "provider groq          2 keys" in read.stdout
    assert "cors_origins           none" in read.stdout
    assert "gsk_" not in read.stdout + read.stderr
    left = command("check-config", where=tmp_path, ENVIRONMENT="production", DATA_DIR=str(tmp_path / "p"), **STRONG)
    assert "trial_credit_usd       0\n" in left.stdout
    assert not any(secret in left.stdout for secret in STRONG.values())


def test_image_and_platform_run_the_python_that_was_measured_to_be_fastest() -> None:
    image = re.findall(r"^FROM python:(\S+)-slim", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    platform = json.loads((ROOT / "railpack.json").read_text())["packages"]["python"]
    assert {*image, platform} == {"3.13"}


def test_a_platform_starts_it_in_production_on_every_address(tmp_path: Path) -> None:
    recipe = json.loads((ROOT / "railpack.json").read_text())["deploy"]
    assert recipe == {
        "startCommand": "/app/.venv/bin/python run_server.py",
        "healthCheckPath": "/health",
        "healthCheckTimeout": 300,
    }
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "production", "PORT": str(port), "METRICS_PORT": "0",
                   "DATA_DIR": str(tmp_path), "RAILWAY_PUBLIC_DOMAIN": "gateway.example.com", **STRONG}  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "run_server.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        outsider = Outsider(f"http://127.0.0.1:{port}")
        _await_health(outsider.base_url)
        assert time.monotonic() - started < 10
        listening = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
        assert f"00000000:{port:04X}" in listening
        health = outsider.get("/health")
        assert health.headers["strict-transport-security"]
        assert set(health.body) == {"status", "version", "timestamp", "components"}
        account = {"email": "first@example.com", "password": "several plain words together"}
        joined = outsider.post("/v1/auth/register", account).body
        assert joined["user"]["credit_usd"] == "0.00"
        refused = Outsider(outsider.base_url, joined["access_token"]).task()
        assert refused.status in {402, 404}
        browser = outsider.send("GET", "/health", headers={"Origin": "https://gateway.example.com"})
        assert browser.headers["access-control-allow-origin"] == "https://gateway.example.com"
    finally:
        process.terminate()
        _, told = process.communicate(timeout=15)
    assert process.returncode == 0
    assert not any(secret in told.decode() for secret in STRONG.values())


def _await_health(base_url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{base_url}/health", timeout=1):  # noqa: S310 - a loopback address
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    pytest.fail("the server was not healthy within 10 s")
