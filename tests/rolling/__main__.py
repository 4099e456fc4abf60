"""`python -m tests.rolling`: three restarts of two workers under load and a kill, on both databases."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kills.series import POSTGRESQL, SQLITE, cluster
from tests.rolling.proof import Rolled, roll
from tests.rolling.stages import workers_at


def main() -> int:
    """Print what was found; 0 when nothing was cut but by the kill, and the books are exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.rolling")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), action="append", help="only this one")
    options = parser.parse_args()
    wrong = False
    for database in options.database or [SQLITE, POSTGRESQL]:
        with tempfile.TemporaryDirectory() as folder, _place(database) as url, workers_at(Path(folder), url) as where:
            rolled = asyncio.run(roll(where, restarts=options.restarts))
        wrong |= bool(rolled.failed or rolled.fell or rolled.books)
        sys.stdout.write(f"{database}: {told(rolled)}\n")
        sys.stdout.flush()
    return int(wrong)


@contextmanager
def _place(database: str) -> Iterator[str]:
    """A database of its own; empty for SQLite."""
    if database == SQLITE:
        yield ""
    else:
        with cluster() as url:
            yield url


def told(rolled: Rolled) -> str:
    """The outcome, for people."""
    lasted = ", ".join(f"{each:.1f}" for each in rolled.seconds)
    return (
        f"{rolled.restarts} restarts, old workers gone after {lasted} s; {rolled.asked} requests before the kill\n"
        f"  failed, but for the killed worker's: {rolled.failed or 'none'}\n"
        f"  cut with the killed worker {rolled.cut}, spared at the other {rolled.spared}\n"
        f"  counters that fell: {rolled.fell or 'none'}\n"
        f"  wrong in the books: {dict(rolled.books) or 'nothing'}\n"
        f"  {rolled.figures}"
    )


if __name__ == "__main__":
    sys.exit(main())
