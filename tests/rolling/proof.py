"""Several workers are replaced under load, then one of them is killed: who was cut short, and what the books say.

Streams of many seconds and short answers, on connections that are used again and again.
"""

import asyncio
import itertools
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monkey_coder_server.adapters.storage import migrate
from tests.conftest import ROOT
from tests.kills.audit import audit
from tests.kills.clients import COMPLETE, CUT, Callers, Heard
from tests.kills.gateway import SERVER, Life, Stage

WORKERS = 2
LONG = "output_tokens=120 tokens_per_second=12 first_token_ms=40"
"""Ten seconds."""
MEDIUM = "output_tokens=24 tokens_per_second=12 first_token_ms=40"
SHORT = "output_tokens=5 tokens_per_second=50 first_token_ms=20"
PATIENCE_SECONDS = 240.0
AFTER_A_DEATH_SECONDS = 0.5
"""Until a caller knows that its connection is gone."""
SAMPLE = re.compile(r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


@dataclass(slots=True)
class Rolled:
    """What was seen. Each list is empty when all is well, `books` too."""

    restarts: int = 0
    asked: int = 0
    """Requests that began before the kill; each has its whole answer, unless it is in `failed`."""
    failed: list[str] = field(default_factory=list)
    """Of them and of those that began after the kill, those that did not get their whole answer, but for `cut`."""
    cut: int = 0
    """Requests that were open when a worker was killed, and ended with it."""
    spared: int = 0
    """Requests that were open then at another worker, and got their whole answer."""
    fell: list[str] = field(default_factory=list)
    """Counters that fell from one look at the figures to the next."""
    books: Mapping[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """From each SIGHUP until only new workers were left."""
    figures: Mapping[str, int] = field(default_factory=dict)


async def roll(where: Stage, *, restarts: int, steering: str = LONG, callers: int = 6) -> Rolled:
    """So many restarts in a row, each after a change of tables, then a kill; `callers` of each kind.

    The stage has no gateway before and after.
    """
    rolled = Rolled()
    with Life(where) as life:
        assert await life.ready()
        kinds = [
            Callers(where.base_url, where.key, seed=seed, steering=each) for seed, each in ((1, steering), (2, SHORT))
        ]
        watching = asyncio.create_task(_watch_counters(where, rolled.fell))
        async with asyncio.TaskGroup() as load:
            for each in kinds:
                load.create_task(each.ask_until_gone(callers))
            await _until(lambda: all(len(each.heard) > 2 * callers for each in kinds))
            for _ in range(restarts):
                await asyncio.to_thread(_upgrade, where, rolled.restarts)
                rolled.seconds.append(await _restart(life, where))
                rolled.restarts += 1
            before = [one for each in kinds for one in each.heard]
            open_then = [one for one in before if not _ended(one)]
            _kill_one(life)
            await asyncio.sleep(AFTER_A_DEATH_SECONDS)
            known = {id(one) for each in kinds for one in each.heard}
            await _until(lambda: _figures(where)["monkey_coder_worker_deaths_total"] == 1)
            await _until(lambda: _figures(where)["monkey_coder_workers"] == WORKERS)
            for each in kinds:  # those whose connection died have stopped asking
                load.create_task(each.ask_until_gone(callers))
            await asyncio.sleep(1)
            for each in kinds:
                each.leave()
        watching.cancel()
    every = [one for each in kinds for one in each.heard]
    began_with_it = {id(one) for one in open_then} | (known - {id(one) for one in before})
    rolled.asked = len(before)
    rolled.failed = [_told(one) for one in every if one.ended != COMPLETE and id(one) not in began_with_it]
    rolled.cut = sum(one.ended != COMPLETE for one in every if id(one) in began_with_it)
    rolled.spared = sum(one.ended == COMPLETE for one in open_then)
    found = audit(where, every)
    verdict = where.admin("ledger", "verify")
    rolled.books = {
        **found.wrong,
        **{f"ledger verify, {name}": each for name, each in verdict["checks"].items() if each},
    }
    rolled.figures = found.figures
    return rolled


def _ended(one: Heard) -> bool:
    return one.ended != CUT


def _told(one: Heard) -> str:
    kind = "stream" if one.stream else "whole"
    return f"{one.number} {kind} {one.ended} {one.error} {one.said} after {len(one.received)} bytes"


def _upgrade(where: Stage, number: int) -> None:
    """What a release does to a database that is in use: the command, and a revision that adds to tables of requests."""
    done = subprocess.run(
        [*SERVER, "db", "upgrade"], env=where.environment(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    def expand(connection: Any) -> None:
        connection.exec_driver_sql(f"CREATE TABLE added_{number} (name text PRIMARY KEY)")
        for table in ("wallets", "holds", "leases", "transactions", "usage"):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN added_{number} bigint")

    migrate.change_tables(where.database or next(where.data.glob("*.db")), expand)


async def _restart(life: Life, where: Stage) -> float:
    """SIGHUP, and wait until only workers that were started after it are left; the seconds that took."""
    pid = life.process.pid
    assert pid is not None
    old, began = _workers(pid), time.monotonic()
    os.kill(pid, signal.SIGHUP)
    await _until(lambda: not old & _workers(pid) and _figures(where)["monkey_coder_workers"] == WORKERS)
    return time.monotonic() - began


def _kill_one(life: Life) -> None:
    pid = life.process.pid
    assert pid is not None
    os.kill(min(_workers(pid)), signal.SIGKILL)


def _workers(pid: int) -> set[int]:
    """The workers of a supervisor (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return {int(child) for child in children}


def _figures(where: Stage) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{where.metrics_port}/metrics", timeout=10) as reply:
        return {name: float(value) for name, value in SAMPLE.findall(reply.read().decode())}


async def _watch_counters(where: Stage, fell: list[str]) -> None:
    """Look at the figures all the time: what counts may never fall, whoever ends."""
    before: dict[str, float] = {}
    for _ in itertools.count():
        now = await asyncio.to_thread(_figures, where)
        fell += [f"{name} {before[name]} {now.get(name, 0)}" for name in before if now.get(name, 0) < before[name]]
        before = {name: value for name, value in now.items() if name.partition("{")[0].endswith(("_total", "_count"))}
        await asyncio.sleep(0.2)


async def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError
