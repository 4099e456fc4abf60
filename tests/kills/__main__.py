"""`python -m tests.kills --rounds 100`: kill a gateway again and again, then set all books beside each other."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.kills.audit import audit
from tests.kills.gateway import stage
from tests.kills.points import POINTS
from tests.kills.rounds import Round, ask_again, live_and_die


def main() -> int:
    """Print a line for each round and the findings; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--point", default="", help="only this one")
    options = parser.parse_args()
    points = [point for point in POINTS if options.point in {"", point.name}]
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as directory, stage(Path(directory)) as where:
        for number in range(options.rounds):
            point = points[number % len(points)]
            lived = asyncio.run(live_and_die(where, point, seed=options.seed * 10_000 + number + 1))
            rounds.append(lived)
            died = f"at pass {lived.deadly}" if lived.reached else "elsewhere: the point was not passed so often"
            sys.stdout.write(f"{number + 1:4} {point.name:40} died {died}; {len(lived.heard)} requests\n")
            sys.stdout.flush()
        again = asyncio.run(ask_again(where, rounds))
        heard = [one for lived in rounds for one in lived.heard] + again
        findings = audit(where.data, heard, where.tally())
        verdict = where.admin("ledger", "verify")
    for name, figure in findings.figures.items():
        sys.stdout.write(f"{name:30}{figure:>20,}\n")
    sys.stdout.write(f"wrong: {findings.wrong or 'nothing'}\nledger verify: {verdict['checks']}\n")
    return int(bool(findings.wrong) or not verdict["sound"])


if __name__ == "__main__":
    sys.exit(main())
