"""Rules for every test: no sockets unless marked `system` (then loopback only), nothing of the real environment."""

import fcntl
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from tools import postgresql

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.shares import Shares

ROOT = Path(__file__).parent
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
OWN_VARIABLES = ("MONKEY_CODER_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GROQ_", "XAI_", "PERPLEXITY_", "MOONSHOT_")
KEPT_VARIABLES = ("MONKEY_CODER_DATA",)

settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")
"""How long a case takes depends on who else is at work on the machine; the benchmarks measure speed."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the network to unit tests; leave loopback to system tests."""
    if item.get_closest_marker("system"):
        enable_socket()
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Find the tests, which stay to the end, without looking for garbage among them; look for it seldom after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or base URL of the developer's own must never reach a test."""
    for name in os.environ:
        if name.startswith(OWN_VARIABLES) and name not in KEPT_VARIABLES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a new SQLite database be a copy of one that this worker migrated: its revisions take a third of a second."""
    from monkey_coder_server.adapters.storage import migrate  # noqa: PLC0415 - after coverage has begun

    upgrade, template = migrate.upgrade, tmp_path_factory.mktemp("migrated") / "empty.db"

    def copied(url: str | Path) -> None:
        if migrate.is_postgresql(url) or migrate.sqlite_path(url).exists():
            upgrade(url)
            return
        if not template.exists():
            upgrade(template)
        migrate.sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, migrate.sqlite_path(url))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", copied)
        yield


SHARED_POSTGRESQL = "MONKEY_TEST_POSTGRESQL"
"""The folder of this run's PostgreSQL server; the first worker that needs one starts it there."""


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder once, for all workers of a run; the server's own user passes through it."""
    if not hasattr(config, "workerinput"):
        os.environ[SHARED_POSTGRESQL] = tempfile.mkdtemp(prefix="monkey-postgresql-")
        Path(os.environ[SHARED_POSTGRESQL]).chmod(0o711)


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Shares":
    """Share the tests between workers our way."""
    from tests.shares import Shares  # noqa: PLC0415 - only where there are workers

    return Shares(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server, after the last worker."""
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(SHARED_POSTGRESQL))
        if (folder / "address").exists():
            postgresql.Cluster(folder / "server", _port(folder)).remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> postgresql.Cluster:
    """This run's PostgreSQL server, shared by all workers: whoever uses it makes databases of his own in it."""
    folder = Path(os.environ[SHARED_POSTGRESQL])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "address").exists():
            making = [sys.executable, "-m", "tools.postgresql", str(folder / "server")]
            made = subprocess.run(making, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
            if made.returncode == postgresql.MISSING and not os.environ.get("CI"):
                pytest.skip(made.stderr)
            if made.returncode:
                raise RuntimeError(made.stderr)
            (folder / "address").write_text(made.stdout)
    return postgresql.Cluster(folder / "server", _port(folder))


def _port(folder: Path) -> int:
    return int((folder / "address").read_text())
