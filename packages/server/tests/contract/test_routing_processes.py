"""Operating-system processes that learn beside each other, lose acknowledgements or die before they get one.

What is committed counts once. What a killed process had not sent yet is lost, as is documented; nothing else is.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.decision_log import Batch, DecisionWriter
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.sharing import Sharing
from monkey_coder_server.features.inference.study import Study
from monkey_coder_server.ports.routing_store import RoutingDecision, RoutingOutcome
from packages.server.tests.contract.booking import NOON, StillClock
from packages.server.tests.contract.test_routing_decisions import decision, logged, outcome

BY = ServedBy("acct_1", "openai/gpt-5", "debugging", "fix", "python")
ROUNDS, EACH = 12, 5
"""Steps of a worker, and outcomes in each."""
DIES_AT = 7
WORKER = """
import asyncio, sys
from packages.server.tests.contract.test_routing_processes import work
asyncio.run(work(*sys.argv[1:]))
"""


class Fate:
    """What happens between a commit and its acknowledgement: every third is lost; one who dies does so at its 7th."""

    def __init__(self, *, dies: bool) -> None:
        self._dies = dies
        self._commits = 0

    def committed(self, what: str, count: float) -> None:
        """Called after the commit. Raises `Unavailable` where its acknowledgement is lost."""
        self._commits += 1
        sys.stdout.write(f"{what} {count}\n")
        sys.stdout.flush()
        if self._dies and self._commits == DIES_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._commits % 3 == 0:
            raise Unavailable("the acknowledgement is lost", retry_after=1.0)


class Evidence:
    """`EvidenceStore` whose acknowledgements meet their fate."""

    def __init__(self, store: Storage, fate: Fate) -> None:
        self._store = store.evidence
        self._fate = fate
        self._known = 0

    async def add(self, instance: str, delta: Delta) -> None:
        await self._store.add(instance, delta)
        again, self._known = delta.sequence <= self._known, max(self._known, delta.sequence)
        self._fate.committed("evidence", 0 if again else sum(each.tally.rows for each in delta.sums))

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        return await self._store.changed(instance, since)

    async def forget(self, before: datetime) -> int:
        return await self._store.forget(before)


class Log:
    """`DecisionLog.write` whose acknowledgements meet their fate."""

    def __init__(self, store: Storage, fate: Fate) -> None:
        self._store = store.decisions
        self._fate = fate

    async def write(self, decisions: Sequence[RoutingDecision], outcomes: Sequence[RoutingOutcome]) -> None:
        await self._store.write(decisions, outcomes)
        for each in decisions:
            sys.stdout.write(f"decided {each.request_id}\n")
        self._fate.committed("log", len(decisions))

    between = None
    forget = None


class Queue:
    """Decisions that wait, three at a time."""

    def __init__(self) -> None:
        self.waiting: list[tuple[RoutingDecision, RoutingOutcome]] = []

    def batch(self) -> Batch | None:
        some = self.waiting[:3]
        return Batch([each for each, _ in some], [told for _, told in some]) if some else None

    def written(self, batch: Batch) -> None:
        del self.waiting[: len(batch.decisions)]


async def work(url: str, directory: str, name: str, fate: str, part: str) -> None:
    """Report outcomes, or log decisions, step by step; print what is committed."""
    store = await open_storage(url, signer=load_or_create_signer(Path(directory)), clock=StillClock())
    sys.stdin.read(1)
    ending = Fate(dies=fate == "dies")
    await (learn(store, name, ending) if part == "evidence" else log(store, int(name), ending))
    await store.close()


async def learn(store: Storage, name: str, fate: Fate) -> None:
    clock = SystemClock()
    learning = Learning(clock)
    beliefs, instance = learning.beliefs, f"learner_{name}_{os.getpid()}"
    sharing = Sharing(beliefs.evidence, beliefs.take, Evidence(store, fate), clock, instance=instance)
    study = Study(learning, [sharing], seconds=60.0)
    for step in range(ROUNDS):
        for number in range(EACH):
            learning.beliefs.report(f"{name} {step} {number}", BY, Signal(float(number % 2), 1.0))
        await study.stop()
    while learning.beliefs.evidence.delta(1) is not None:
        await study.stop()


async def log(store: Storage, name: int, fate: Fate) -> None:
    queue = Queue()
    writer = DecisionWriter(queue, Log(store, fate), seconds=60.0)  # type: ignore[arg-type] - as far as it uses them
    for step in range(ROUNDS):
        first = 1_000 * name + EACH * step
        queue.waiting += [(decision(number), outcome(number)) for number in range(first, first + EACH)]
        await writer.stop()
    while queue.waiting:
        await writer.stop()


def run(url: str, directory: Path, workers: Sequence[tuple[str, str]], part: str) -> list[list[str]]:
    """Let workers of a name and a fate begin together; what each printed."""
    started = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", WORKER, url, str(directory), name, fate, part],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, fate in workers
    ]
    told = [process.communicate("\n", timeout=200)[0].splitlines() for process in started]
    ends = [-signal.SIGKILL if fate == "dies" else 0 for _, fate in workers]
    assert [process.returncode for process in started] == ends
    return told


async def made(database: str, directory: Path) -> None:
    """Make the database before processes open it together."""
    store = await open_storage(database, signer=load_or_create_signer(directory), clock=StillClock())
    await store.close()


def rows(told: list[str]) -> float:
    return sum(float(line.split()[1]) for line in told if line.startswith("evidence"))


@pytest.mark.system
async def test_outcomes_of_processes_count_once_whatever_is_lost_on_the_way_back(database: str, tmp_path: Path) -> None:
    await made(database, tmp_path)
    lives, dies = await asyncio.to_thread(run, database, tmp_path, [("1", "lives"), ("2", "dies")], "evidence")
    (heir,) = await asyncio.to_thread(run, database, tmp_path, [("2", "lives")], "evidence")
    store = await open_storage(database, signer=load_or_create_signer(tmp_path), clock=StillClock())
    sums = (await store.evidence.changed("another", None)).sums
    await store.close()
    assert rows(lives) == rows(heir) == ROUNDS * EACH
    assert 0 < rows(dies) < ROUNDS * EACH
    assert [(each.node, each.arm) for each in sums] == [(("fix", "python", "acct_1"), BY.arm)]
    assert sums[0].tally.rows == pytest.approx(2 * ROUNDS * EACH + rows(dies))
    assert sums[0].era == 0


@pytest.mark.system
async def test_decisions_of_processes_stand_once_and_none_that_was_committed_is_lost(
    database: str, tmp_path: Path
) -> None:
    await made(database, tmp_path)
    lives, dies = await asyncio.to_thread(run, database, tmp_path, [("1", "lives"), ("2", "dies")], "log")
    store = await open_storage(database, signer=load_or_create_signer(tmp_path), clock=StillClock())
    entries = await logged(store, NOON - timedelta(days=1), NOON + timedelta(days=1))
    await store.close()
    kept = [each.decision.request_id for each in entries]
    committed = [{line.split()[1] for line in told if line.startswith("decided")} for told in (lives, dies)]
    assert len(committed[0]) == ROUNDS * EACH
    assert 0 < len(committed[1]) < ROUNDS * EACH
    assert len(kept) == len(set(kept))
    assert set(kept) == committed[0] | committed[1]
    assert all(each.outcome is not None for each in entries)
