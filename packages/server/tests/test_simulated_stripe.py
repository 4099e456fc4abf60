"""`monkey-server sandbox --stripe` and `serve --stripe`: real processes, and the starts that are refused."""
# ruff: noqa: S310, S603 - the processes and addresses are this test's own

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.system
COMMAND = [sys.executable, "-m", "monkey_coder_server"]


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    kept = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **environment}
    process = subprocess.Popen([*COMMAND, *arguments], env=kept, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0


def line_with(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


def test_a_simulated_stripe_tells_a_gateway_how_to_reach_it(tmp_path: Path) -> None:
    with running(tmp_path, "sandbox", "--stripe", "--webhook", "http://127.0.0.1:9/webhook") as process:
        exports = dict(re.findall(r"(STRIPE_\w+)=(\S+)", line_with(process, "export")))
        asked = urllib.request.Request(
            f"{exports['STRIPE_API_BASE']}/v1/customers",
            headers={"Authorization": f"Bearer {exports['STRIPE_SECRET_KEY']}"},
        )
        with urllib.request.urlopen(asked, timeout=10) as reply:
            assert reply.status == 200
    assert exports["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")


def test_a_gateway_brings_its_own_simulated_stripe(tmp_path: Path) -> None:
    ports = ["--host", "127.0.0.1", "--port", "0", "--metrics-port", "0"]
    with running(tmp_path, "serve", "--sandbox", "--stripe", *ports) as process:
        port = re.findall(r"listens on http://127.0.0.1:(\d+)", line_with(process, "listens on"))[0]
        stripe = re.findall(r"http://\S+", line_with(process, "simulated Stripe"))[0]
        with urllib.request.urlopen(f"{stripe}/_control", timeout=10) as told:
            assert "advance" in told.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as health:
            assert health.status == 200


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (
            {"STRIPE_SECRET_KEY": "rk_test_ours", "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef"},
            "STRIPE_SECRET_KEY is set and --stripe simulates Stripe",
        ),
        (
            {
                "ENVIRONMENT": "production",
                "BASE_URL": "https://gateway.example",
                "JWT_SECRET_KEY": os.urandom(32).hex(),
                "KEY_PEPPER": os.urandom(32).hex(),
            },
            "leave it out in production",
        ),
    ],
)
def test_a_simulated_stripe_beside_a_real_one_or_in_production_is_a_refused_start(
    tmp_path: Path, environment: dict[str, str], says: str
) -> None:
    kept = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment}
    arguments = ["serve", "--sandbox", "--stripe", "--port", "0", "--metrics-port", "0"]
    ended = subprocess.run(
        [*COMMAND, *arguments], env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, says in ended.stderr) == (78, True), ended.stderr
