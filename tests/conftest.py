"""A gateway and its simulators as real processes, shared by the tests of one worker."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.processes import BIN, free_port, server

SCENARIOS = ("ends", "errors", "talk", "thinking", "tools")
pytest.register_assert_rewrite("tests.matrix.stage", *(f"tests.matrix.scenarios_{name}" for name in SCENARIOS))
ROOT = Path(__file__).resolve().parents[1]
SUMMARY = "summary"
"""A property a test records: shown at the end of the run, whichever worker it ran on."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests are there to show."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in report.user_properties:
                if name == SUMMARY:
                    terminalreporter.section(report.nodeid)
                    terminalreporter.write_line(str(text))


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """Where a started gateway listens, with a funded account."""

    base_url: str
    metrics_url: str
    api_key: str
    email: str
    data: Path
    environment: dict[str, str]

    def admin(self, *arguments: str) -> str:
        """Run `monkey-server admin …` on this gateway's books; its standard output."""
        command = [str(BIN / "monkey-server"), "admin", *arguments]
        environment = {"PATH": "/usr/bin:/bin", **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def running_gateway(data: Path, **settings: str) -> Iterator[RunningGateway]:
    """`monkey-server serve --sandbox` on a free port with SQLite in this folder, and an owner with credit."""
    from tests.opened_accounts import open_accounts

    port, metrics_port = free_port(), free_port()
    environment = {"DATA_DIR": str(data), "LOG_LEVEL": "warning", **settings}
    owner = open_accounts(environment, {"owner": "100"})["owner"]
    arguments = ["serve", "--sandbox", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics_port)]
    with server(arguments, environment, port, "/health"):
        yield RunningGateway(
            base_url=f"http://127.0.0.1:{port}",
            metrics_url=f"http://127.0.0.1:{metrics_port}",
            api_key=owner.api_key,
            email=owner.user.email,
            data=data,
            environment=environment,
        )


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One that many tests share: a model whose keys a test lets rest rests for the others, too."""
    with running_gateway(tmp_path_factory.mktemp("data")) as running:
        yield running
