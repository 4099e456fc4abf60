"""Fixtures of the sandbox tests: `simulated` answers without sockets, `sandbox` listens on loopback."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from monkey_coder_server.sandbox.directives import NOTHING, Script
from monkey_coder_server.sandbox.server import RunningSandbox, start
from monkey_coder_server.sandbox.world import World
from packages.server.tests.sandbox.simulating import HEADERS, MODELS, PRICED_AT, Simulated

HERE = Path(__file__).parent


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def simulated(clock: list[float]) -> Simulated:
    return Simulated(World(seed=7, script=Script(), defaults=NOTHING, priced_at=PRICED_AT, clock=lambda: clock[0]))


@pytest.fixture
async def sandbox() -> AsyncIterator[RunningSandbox]:
    running = await start(seed=7, priced_at=PRICED_AT)
    yield running
    await running.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession(headers=HEADERS) as session:
        yield session


@pytest.fixture
def url_of(sandbox: RunningSandbox) -> Callable[..., str]:
    def url(provider: str, *, stream: bool = False) -> str:
        base = sandbox.base_urls[provider]
        if provider == "anthropic":
            return f"{base}/v1/messages"
        if provider == "google":
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"{base}/v1beta/models/{MODELS['google']}:{verb}"
        return f"{base}/chat/completions"

    return url


@pytest.fixture
def send(client: ClientSession, url_of: Callable[..., str], simulated: Simulated) -> Callable[..., Any]:
    """Post a prompt to a running simulator and return the response, its body read."""

    async def post(provider: str, prompt: str, *, stream: bool = False, headers: Any = None, **more: Any) -> Any:
        body = simulated.body(provider, prompt, **more)
        if provider != "google":
            body["stream"] = stream
        async with client.post(url_of(provider, stream=stream), json=body, headers=headers) as response:
            await response.read()
            return response

    return post


@pytest.fixture(scope="session")
def shapes() -> dict[str, dict[str, list[str]]]:
    """The excerpt of the recordings this folder keeps."""
    kept: dict[str, dict[str, list[str]]] = json.loads((HERE / "recorded_shapes.json").read_text(encoding="utf-8"))
    return kept


@pytest.fixture(scope="session")
def recordings_folder() -> Path:
    """The recordings themselves, where this machine has them."""
    root = Path(os.environ.get("MONKEY_CODER_DATA", HERE.parents[4] / "shared" / "data"))
    folder = root / "provider-recordings"
    if not folder.is_dir():
        pytest.skip("the provider recordings are not on this machine")
    return folder
