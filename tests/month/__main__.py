"""`python -m tests.month`: a month of customers, payments and their accidents; then all books are compared."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

from tests.kills.series import POSTGRESQL, SQLITE, cluster
from tests.month.month import Wish, live
from tests.month.table import table


def main() -> int:
    """Print what came of it; 0 when nothing differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.month")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wish = Wish(options.customers, options.requests, options.seed)
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        database = opened.enter_context(cluster()) if options.database == POSTGRESQL else ""
        month = asyncio.run(live(folder, wish, database, told=_tell))
    assert month.books is not None
    _tell(table(month.books))
    return int(bool(month.books.wrong))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
