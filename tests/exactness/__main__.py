"""`python -m tests.exactness`: limits are good for exactly as many requests as they can pay, whoever asks where."""

import argparse
import contextlib
import sys
import tempfile
from itertools import product
from pathlib import Path

from tests.exactness.cases import BALANCE, CAP, FIXED, RANDOM, Case, Outcome
from tests.exactness.house import tried
from tests.kills.series import POSTGRESQL, SQLITE, cluster

HEAD = ("database", "gateways", "clients", "limit", "prices", "granted", "refused", "nano left", "% used", "s", "wrong")
WIDTHS = (11, 9, 8, 10, 7, 8, 8, 10, 9, 6, 8)


def main() -> int:
    """Print a line for each case; 0 when every one is as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m tests.exactness")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), action="append", help="only this one")
    parser.add_argument("--gateways", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--clients", type=int, nargs="+", default=[32, 64, 128, 256])
    options = parser.parse_args()
    cases = [Case(*each) for each in product(options.clients, (BALANCE, CAP), (FIXED, RANDOM))]
    _say(HEAD)
    wrong = 0
    with contextlib.ExitStack() as opened:
        for database, gateways in product(options.database or [SQLITE, POSTGRESQL], options.gateways):
            data = opened.enter_context(tempfile.TemporaryDirectory())
            url = opened.enter_context(cluster()) if database == POSTGRESQL else ""
            outcomes, verdict = tried(Path(data), url, gateways, cases)
            for outcome in outcomes:
                wrong += bool(outcome.wrong)
                _tell(database, gateways, outcome)
            wrong += not verdict["sound"]
            sys.stdout.write(f"ledger verify: {verdict['checks']}\n")
            sys.stdout.flush()
    sys.stdout.write(f"wrong: {wrong}\n")
    return int(wrong > 0)


def _tell(database: str, gateways: int, outcome: Outcome) -> None:
    case, refused = outcome.case, sum(outcome.others.values())
    facts = (database, gateways, case.clients, case.limit, case.prices, outcome.granted, refused, outcome.left)
    _say((*facts, f"{outcome.used:.2f}", f"{outcome.seconds:.1f}", outcome.wrong or "nothing"))


def _say(facts: tuple[object, ...]) -> None:
    sys.stdout.write("".join(f"{fact!s:>{width}}" for fact, width in zip(facts, WIDTHS, strict=True)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
