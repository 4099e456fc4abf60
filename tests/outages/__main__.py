"""`python -m tests.outages`: take the database away for a minute under load, in every way; then compare all books."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.outages.outages import WAYS
from tests.outages.proof import Times, prove
from tests.outages.table import table

LEAST_PERCENT = 99.9


def main() -> int:
    """Print what came of it; 0 when enough was served and nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.outages")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the database is away, each time")
    parser.add_argument("--warm", type=float, default=120.0, help="seconds of load before each outage")
    parser.add_argument("--way", choices=WAYS, action="append", help="only this one")
    options = parser.parse_args()
    ways = [WAYS[name] for name in options.way or WAYS]
    with tempfile.TemporaryDirectory() as directory:
        proof = prove(Path(directory), ways, Times(options.warm, options.seconds), told=_tell)
    _tell(table(proof))
    served = all(one.within.percent >= LEAST_PERCENT for one in proof.outages)
    return int(bool(proof.books.wrong) or not served)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
