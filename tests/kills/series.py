"""Rounds on one database, and the audit after them."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.kills.audit import Findings, audit
from tests.kills.clients import Heard
from tests.kills.gateway import Life, Stage, stage
from tests.kills.points import Point
from tests.kills.rounds import Round, ask_again, live_and_die, recover
from tools import postgresql

SQLITE, POSTGRESQL = "sqlite", "postgresql"
PATIENCE_SECONDS = 70
"""A gateway looks for journals of the dead every 30 s."""
SERVER_SETTLED = "SELECT now() - pg_postmaster_start_time() > interval '61 seconds'"
"""Before, a gateway does not take itself for alone."""
Told = Callable[[Round], None]


def unheard(_lived: Round) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Series:
    """What came of rounds on one database. `adopted`: requests of the dead that the rival ended while it served."""

    database: str
    rounds: Sequence[Round]
    findings: Findings
    verdict: Mapping[str, Any]
    adopted: int = 0

    @property
    def checks(self) -> dict[str, Any]:
        """All that must be empty: what was compared, `ledger verify`, and what went wrong where nobody died."""
        verified = {f"ledger verify, {name}": found for name, found in self.verdict["checks"].items()}
        spoiled = [why for lived in self.rounds for why in lived.spoiled]
        return {**self.findings.checks, "cut or failed where nobody died": spoiled, **verified}


def alone(data: Path, points: Sequence[Point], *, seed: int, told: Told = unheard) -> Series:
    """One gateway on SQLite: it dies, and the next life recovers."""
    with stage(data) as where:
        rounds = []
        for number, point in enumerate(points, start=seed):
            rounds.append(asyncio.run(live_and_die(where, point, seed=number)))
            told(rounds[-1])
        again = asyncio.run(ask_again(where, rounds))
        return _audited(SQLITE, where, rounds, again)


def beside_another(
    data: Path, database: str, points: Sequence[Point], *, seed: int, late: bool, told: Told = unheard
) -> Series:
    """Two gateways on a PostgreSQL database: one dies, again and again, the other goes on.

    Two of three lives are on another machine, with a DATA_DIR of their own: what they leave waits for the next life
    there. The third is on the survivor's machine, which adopts what it leaves unless a new life there does so first.
    `late`: what waits elsewhere in the end is booked only after another gateway, alone, has given back all that the
    dead one held and has answered anew what it left unanswered.
    """
    with stage(data / "here", database=database) as where:
        here, elsewhere = where.beside(), where.beside(shutil.copytree(where.data, data / "elsewhere"))
        places = cycle((elsewhere, elsewhere, here))
        rounds = []
        rival = where.beside()
        with Life(rival) as survivor:
            assert asyncio.run(survivor.ready())
            for number, (point, place) in enumerate(zip(points, places, strict=False), start=seed):
                rounds.append(asyncio.run(live_and_die(place, point, seed=number, rival=rival)))
                told(rounds[-1])
            adopted = asyncio.run(_all_adopted(survivor))
        if late:
            asyncio.run(_until(lambda: bool(where.read(SERVER_SETTLED)[0][0])))
        again = asyncio.run(ask_again(here if late else elsewhere, rounds))
        asyncio.run(recover(elsewhere))
        return _audited(POSTGRESQL, where, rounds, again, adopted)


async def _all_adopted(survivor: Life) -> int:
    """Wait until no journal but its own lies in its directory; how many requests it ended for the dead."""
    journals = survivor.stage.data / "journal"
    await _until(lambda: len(list(journals.glob("*.lock"))) == 1)
    return await survivor.recovered()


async def _until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await asyncio.to_thread(what):  # noqa: ASYNC110 - neither a directory nor a server tells us
            await asyncio.sleep(0.2)


def _audited(database: str, where: Stage, rounds: Sequence[Round], again: Sequence[Heard], adopted: int = 0) -> Series:
    """Everything has stopped: all books beside each other."""
    heard = [one for lived in rounds for one in lived.heard]
    return Series(database, rounds, audit(where, heard, again), where.admin("ledger", "verify"), adopted)


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """A PostgreSQL server for the block; the URL of a database in it. Raises `NoPostgresql`."""
    with tempfile.TemporaryDirectory(prefix="monkey-kills-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        made = postgresql.make(Path(name) / "server")
        try:
            yield made.url
        finally:
            made.remove()
