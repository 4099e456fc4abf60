"""A user installs the client alone: nothing of the server comes along, and the command runs."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.processes import BIN

pytestmark = pytest.mark.system

OF_THE_SERVER = {"httptools", "aiohttp", "sqlalchemy", "alembic", "cryptography", "argon2-cffi", "pyjwt"}


def uv(*arguments: str, environment: Path) -> str:
    command = [str(BIN / "uv"), *arguments]
    variables = {**os.environ, "VIRTUAL_ENV": str(environment)}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_clean_environment_holds_the_client_and_nothing_of_the_server(tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    uv("venv", "--quiet", str(clean), environment=clean)
    uv("pip", "install", "--quiet", "--require-hashes", "-r", "requirements/client.lock", environment=clean)
    uv("pip", "install", "--quiet", "--no-deps", "packages/protocol", "packages/client", environment=clean)
    listed = uv("pip", "freeze", environment=clean)
    installed = {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}
    assert {"monkey-coder", "monkey-coder-protocol", "httpx2", "click", "rich", "msgspec"} <= installed
    assert not installed & (OF_THE_SERVER | {"monkey-coder-server"})
    version = subprocess.run([str(clean / "bin" / "monkey"), "--version"], capture_output=True, text=True, check=False)
    assert version.stdout == "monkey 0.1.0\n"
