"""Starts aimock, a fake of every provider that nobody of this project wrote, with answers of ours."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.agents.installed import command
from tools.processes import free_port

PATHS = {
    "openai": "/v1",
    "anthropic": "",
    "google": "",
    "groq": "/openai/v1",
    "xai": "/v1",
    "perplexity": "",
    "moonshot": "/v1",
}
"""Where each provider's API stands at aimock."""


@contextmanager
def aimock(folder: Path, fixtures: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Serve these fixtures; the address."""
    path, port = folder / "fixtures.json", free_port()
    path.write_text(json.dumps({"fixtures": list(fixtures)}), encoding="utf-8")
    options = ["-p", str(port), "-h", "127.0.0.1", "-f", str(path), "--strict", "--log-level", "silent"]
    process = subprocess.Popen([*command("aimock"), *options])
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{address}/health")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(200):
        assert process.poll() is None, "aimock ended before it was ready"
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - a loopback address made above
                return
        except OSError:
            time.sleep(0.05)
    message = f"{url} did not answer within 10 s"
    raise RuntimeError(message)
