"""`monkey implement --verify` against the real gateway: tests judge, a cascade goes on, bills add up, and it stops."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import RunningGateway, running_gateway
from tools.processes import BIN, environment_of

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
TASK = ("implement", "create a REST API", "-o", ".", "--json")


@pytest.fixture
def environment(gateway: RunningGateway, tmp_path: Path) -> Mapping[str, str]:
    own = {"MONKEY_CODER_BASE_URL": gateway.base_url, "MONKEY_CODER_API_KEY": gateway.api_key}
    return environment_of({"HOME": str(tmp_path), **own})


def _command(folder: Path, code: str) -> str:
    """A command that runs Python code of a file: no shell, no quotes."""
    (folder / "judge.py").write_text(code)
    return f"{sys.executable} judge.py"


def _monkey(folder: Path, environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "monkey"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _balance(folder: Path, environment: Mapping[str, str]) -> Decimal:
    return Decimal(json.loads(_monkey(folder, environment, "balance", "--json").stdout)["balance_usd"])


def test_what_compiles_passes_and_the_gateway_is_told(tmp_path: Path, environment: Mapping[str, str]) -> None:
    command = _command(tmp_path, "import compileall, sys; sys.exit(not compileall.compile_dir('.', quiet=1))")
    done = _monkey(tmp_path, environment, *TASK, "--verify", command)
    assert done.returncode == 0, done.stderr
    (only,) = json.loads(done.stdout)["verification"]["rounds"]
    assert (only["passed"], only["exit_code"], only["reported"]) == (True, 0, True)


@pytest.fixture
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Of a gateway to which nobody reported anything yet."""
    with running_gateway(tmp_path_factory.mktemp("undisturbed")) as gateway:
        own = {"MONKEY_CODER_BASE_URL": gateway.base_url, "MONKEY_CODER_API_KEY": gateway.api_key}
        yield environment_of({"HOME": str(tmp_path), **own})


def test_a_cascade_goes_on_to_a_stronger_model_and_both_answers_are_on_the_bill(
    tmp_path: Path, undisturbed: Mapping[str, str]
) -> None:
    environment = undisturbed
    command = _command(
        tmp_path,
        "import pathlib, sys\nseen = pathlib.Path('seen')\ntimes = len(seen.read_text()) if seen.exists() else 0\n"
        "seen.write_text('x' * (times + 1))\nprint('E   assert 1 == 2')\nsys.exit(not times)\n",
    )
    before = _balance(tmp_path, environment)
    done = _monkey(tmp_path, environment, *TASK, "--verify", command, "--repair", "2", "--max-cost", "1")
    assert done.returncode == 0, done.stderr
    verification = json.loads(done.stdout)["verification"]
    first, second = verification["rounds"]
    assert (first["passed"], second["passed"]) == (False, True)
    assert first["route"] != second["route"]
    assert first["output_tail"] == "E   assert 1 == 2\n"
    assert before - _balance(tmp_path, environment) == Decimal(verification["cost_usd"])
    assert [each["reported"] for each in (first, second)] == [True, True]
    sequence = json.loads(done.stdout)["result"]["quantum_collapse_info"]["sequence"]
    check = sequence["check"]
    assert (sequence["ran"], check["verifier"], check["stated"]) == ("cascade", "tests", "assumed")
    assert sequence["round"]["failed"] == [{"request_id": first["request_id"], "model": first["route"]}]
    assert sequence["round"]["planned"] == second["route"]
    assert "2 answers cost $" in done.stderr
    for each in (first, second):
        receipt = json.loads(_monkey(tmp_path, environment, "receipts", "show", each["receipt_id"], "--json").stdout)
        assert json.loads(receipt["body"])["charge_usd"] == each["cost_usd"]


def test_red_ends_with_1_and_repairs_used_up_with_3(tmp_path: Path, environment: Mapping[str, str]) -> None:
    command = _command(tmp_path, "raise SystemExit('no')")
    assert _monkey(tmp_path, environment, *TASK, "--verify", command).returncode == 1
    done = _monkey(tmp_path, environment, *TASK, "--force", "--verify", command, "--repair", "1")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "repairs_used_up"


def test_an_interrupt_stops_the_command_and_what_it_started(tmp_path: Path, environment: Mapping[str, str]) -> None:
    late = "import pathlib, time; time.sleep(3); pathlib.Path('late').touch()"
    command = _command(
        tmp_path,
        f"import pathlib, subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {late!r}])\n"
        "pathlib.Path('begun').touch()\nchild.wait()\n",
    )
    process = subprocess.Popen(
        [str(BIN / "monkey"), *TASK, "--verify", command],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    time.sleep(3.5)
    assert not (tmp_path / "late").exists()
