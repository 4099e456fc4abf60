"""What a process that serves has loaded in its life: what it is used for, and not what was needed once or by others."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.processes import environment_of, free_port, wait_until_ready

pytestmark = pytest.mark.system

SERVED = """
import json, sys
from monkey_coder_server.__main__ import main
code = main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)))
sys.exit(code)
"""
UNUSED = {
    "aiohttp",
    "alembic",
    "anyio",
    "click",
    "cryptography.x509",
    "genai_prices",
    "httpx2",
    "jwt",
    "mako",
    "numpy",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pydantic_core",
    "starlette",
    "stripe",
    "webauthn",
    "wordllama",
    "monkey_coder_server.adapters.mail.api",
    "monkey_coder_server.adapters.oidc",
    "monkey_coder_server.adapters.webhooks",
    "monkey_coder_server.evaluation",
    "monkey_coder_server.sandbox",
}
"""Some 45 MiB, most of it for prices, migrations and what is not configured."""


def test_a_gateway_loads_nothing_it_does_not_serve_with_not_even_for_its_first_start(tmp_path: Path) -> None:
    port = free_port()
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(free_port())]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVED, *arguments],
        env=environment_of({"DATA_DIR": str(tmp_path), "OPENAI_API_KEY": "sk-never-used"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/health/ready")
    finally:
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    loaded = set(json.loads(told.splitlines()[-1]))
    assert "monkey_coder_server.bootstrap.gateway" in loaded
    assert loaded & UNUSED == set()
