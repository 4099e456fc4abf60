"""Fixtures: a fake gateway, an empty home, and the command line as a function."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder import AsyncClient, Client, RetryPolicy
from monkey_coder.cli.run import run
from monkey_coder.cli.session import Session
from packages.client.tests.driver import BASE, Driver
from packages.client.tests.fake_gateway import KEY, FakeGateway


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and an empty working folder beside it."""
    folder = tmp_path / "home"
    work = tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # never the developer's own
    monkeypatch.chdir(work)
    return folder


@pytest.fixture
def client(gateway: FakeGateway) -> Iterator[Client]:
    """A client of the fake gateway that does not wait between tries."""
    with (
        httpx2.Client(transport=gateway.transport()) as http,
        Client(api_key=KEY, base_url=BASE, http_client=http, retry=RetryPolicy(base_delay=0)) as made,
    ):
        yield made


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, gateway: FakeGateway) -> Iterator[Callable[..., Any]]:
    """Make a client of the fake gateway, once the sync and once the async one."""
    defaults: dict[str, Any] = {"api_key": KEY, "base_url": BASE, "retry": RetryPolicy(base_delay=0)}
    if request.param == "sync":
        with httpx2.Client(transport=gateway.transport()) as http:
            yield lambda **options: Client(http_client=http, **(defaults | options))
        return
    loop = asyncio.new_event_loop()
    pool = httpx2.AsyncClient(transport=gateway.transport())
    yield lambda **options: Driver(AsyncClient(http_client=pool, **(defaults | options)), loop)
    loop.run_until_complete(pool.aclose())
    loop.close()


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def monkey(
    gateway: FakeGateway, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ran]]:
    """Run `monkey` in this process, logged in, against the fake gateway."""
    monkeypatch.setenv("MONKEY_CODER_API_KEY", KEY)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with httpx2.Client(transport=gateway.transport()) as http:

        def invoke(*arguments: str) -> Ran:
            capsys.readouterr()
            code = run(arguments, session=Session(http_client=http))
            captured = capsys.readouterr()
            return Ran(code, captured.out, captured.err)

        yield invoke
