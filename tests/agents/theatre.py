"""A gateway over simulators for one agent after another; after each run both sides' books are set side by side."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.agents.installed import Ran, run
from tests.agents.job import Job, Mode
from tests.books_audit import Books, Row, billed
from tests.matrix.stage import Stage, stage

PATIENCE = 120.0
"""Seconds an agent has; more means that it does not end by itself."""


@dataclass(slots=True)
class Played:
    """What became of one run: the agent, the calls the simulators got, what the books say of them."""

    ran: Ran
    written: str | None
    calls: list[Mapping[str, Any]]
    rows: list[Row]

    @property
    def told(self) -> str:
        """For a test's message."""
        calls = [(call["provider"], call["status"], call["outcome"]) for call in self.calls]
        return f"exit {self.ran.status} after {self.ran.seconds:.1f} s, calls {calls}\n{self.ran.output[-3_000:]}"


@dataclass(slots=True)
class Theatre:
    """Plays jobs on one stage. `seen` are the usage rows of earlier runs."""

    stage: Stage
    folder: Path
    seen: set[str] = field(default_factory=set)

    def play(self, mode: Mode, model: str, faults: Mapping[str, Any] | None = None) -> Played:
        """Run an agent on one job, with what the simulators must do wrong."""
        number = len(list(self.folder.iterdir()))
        place = self.folder / f"{number}"
        home, work = place / "home", place / "work"
        home.mkdir(parents=True)
        work.mkdir()
        mark = f"JOB-{number}-{mode.agent}"
        job = Job(self.stage.base_url, self.stage.key, model, home, work, mark)
        setup = mode.prepare(job)
        self.stage.simulators.post("/__sandbox/reset", b"")
        rules = [{"contains": job.mark, **told} for told in (setup.script, faults) if told]
        assert self.stage.simulators.post("/__sandbox/script", {"rules": rules}).status == 200
        ran = run(setup.command, home=home, work=work, environment=setup.environment, patience=PATIENCE)
        written = job.target.read_text(encoding="utf-8") if job.target.exists() else None
        rows = self._rows()
        return Played(ran, written, self.stage.simulators.get("/__sandbox/tally").body["requests"], rows)

    def _rows(self) -> list[Row]:
        """The usage rows since the last run; what an agent left unread is read to its end and booked later."""
        quiet = 0
        for _ in range(300):
            time.sleep(0.1)
            quiet = 0 if self.stage.busy else quiet + 1
            if quiet == 3:
                break
        with closing(Books(self.stage.data)) as books:
            rows = [row for row in books.rows() if row.request_id not in self.seen]
        self.seen |= {row.request_id for row in rows}
        return rows


def booked(played: Played) -> None:
    """One charge for each answer the simulators bill, and the same sum on both sides."""
    answers = billed({"requests": played.calls})
    served = [row for row in played.rows if row.status == "served"]
    assert len(served) == len(answers), played.told
    if not any(row.estimated for row in served):
        assert sum(row.provider_cost for row in served) == sum(call["cost_nanos"] for call in answers), played.told
    assert all(row.price > 0 and row.loss == 0 for row in served)
    assert not [row for row in played.rows if row.status != "served" and row.price]


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Open a theatre for the tests of one module."""
    (folder / "books").mkdir()
    (folder / "jobs").mkdir()
    with stage(folder / "books", []) as running:
        yield Theatre(running, folder / "jobs")
