"""A database that is away when a gateway starts, or goes away in the middle of that: one sentence, and exit code 69."""
# ruff: noqa: S603 - the processes started are this repository's own commands

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from monkey_coder_server.adapters.storage import migrate
from packages.server.tests.adapters.storage.postgres.proxy import Wire
from tools.processes import environment_of

pytestmark = pytest.mark.system
TRY_AGAIN = 69
"""EX_TEMPFAIL of sysexits.h: whoever supervises the gateway starts it again, which 78 forbids in `deploy/systemd`."""


@pytest.fixture
def wire(postgresql_database: str) -> Iterator[Wire]:
    found = Wire(urlsplit(postgresql_database).port or 5432)
    yield found
    found.close()


def through(wire: Wire, database: str) -> str:
    """The database behind a wire."""
    parts = urlsplit(database)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{wire.port}"))


def refused(folder: Path, database: str, workers: str) -> str:
    """The only line of a start that is refused."""
    environment = environment_of({"DATA_DIR": str(folder), "DATABASE_URL": database, "WORKERS": workers})
    command = [sys.executable, "-m", "monkey_coder_server", "serve", "--port", "0", "--metrics-port", "0"]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == TRY_AGAIN, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path, workers: str) -> None:
    line = refused(tmp_path, "postgresql://monkey@127.0.0.1:1/books", workers)
    assert line.startswith(
        "monkey-server: DATABASE_URL: Cannot open the database books on 127.0.0.1:1 as monkey: nothing"
    )


@pytest.mark.parametrize(
    "moment",
    [b"pg_advisory_xact_lock", b"price_books", b"INSERT INTO receipt_keys", b"pg_try_advisory"],
    ids=["migrating", "reading what is in force", "publishing a key", "saying that it is there"],
)
def test_a_server_that_goes_in_the_middle_of_a_start_is_one_sentence(
    tmp_path: Path, wire: Wire, postgresql_database: str, moment: bytes
) -> None:
    if moment == b"pg_advisory_xact_lock":
        migrate.downgrade(postgresql_database, "base")
    wire.cut_at, wire.ends = moment, True
    line = refused(tmp_path, through(wire, postgresql_database), "1")
    assert wire.cuts
    assert line.startswith("monkey-server: ")
    assert "database" in line
