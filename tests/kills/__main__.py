"""`python -m tests.kills --rounds 100`: kill a gateway again and again, then set all books beside each other."""

import argparse
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from tests.kills.points import POINTS
from tests.kills.rounds import Round
from tests.kills.series import POSTGRESQL, SQLITE, Series, alone, beside_another, cluster
from tests.kills.summary import summary


def main() -> int:
    """Print a line for each round and the findings; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("--rounds", type=int, default=100, help="of all databases together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), action="append", help="only this one")
    parser.add_argument("--point", default="", help="only this one")
    options = parser.parse_args()
    databases = options.database or [SQLITE, POSTGRESQL]
    points = cycle([point for point in POINTS if options.point in {"", point.name}])
    every: list[Series] = []
    for number, database in enumerate(databases):
        rounds = options.rounds * (number + 1) // len(databases) - options.rounds * number // len(databases)
        chosen, seed = list(islice(points, rounds)), options.seed * 10_000 + number * 1_000
        sys.stdout.write(f"{database}: {rounds} rounds\n")
        with tempfile.TemporaryDirectory() as directory:
            if database == SQLITE:
                every.append(alone(Path(directory), chosen, seed=seed, told=_tell))
            else:
                with cluster() as url:
                    every.append(beside_another(Path(directory), url, chosen, seed=seed, late=True, told=_tell))
    wrong = {f"{one.database}: {name}": found for one in every for name, found in one.checks.items() if found}
    details = [detail for one in every for detail in one.verdict["details"]]
    sys.stdout.write(f"{summary(every)}\nwrong: {wrong or 'nothing'}\n{details or ''}\n")
    return int(bool(wrong))


def _tell(lived: Round) -> None:
    died = f"at pass {lived.deadly}" if lived.reached else f"elsewhere: it was not passed {lived.deadly} times"
    sys.stdout.write(f"{lived.point.name:40} {len(lived.heard):6} requests {lived.seconds:5.1f} s; died {died}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
