"""`python -m tests.faults`: every provider fails in every way under requests that leave the model open."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.faults import KINDS, MODELS
from tests.faults.proof import HEADING, prove


def main() -> int:
    """Print the table; 0 when enough was served, with few enough calls, and the books are equal."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each fault lasts")
    parser.add_argument("--at-once", type=int, default=16, help="callers")
    parser.add_argument("--provider", choices=MODELS, action="append", help="only this one")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this one")
    options = parser.parse_args()
    faults = [(provider, kind) for kind in options.kind or KINDS for provider in options.provider or MODELS]
    _tell(HEADING)
    with tempfile.TemporaryDirectory() as directory:
        proof = prove(Path(directory), faults, seconds=options.seconds, at_once=options.at_once, told=_tell)
    _tell(f"wrong: {dict(proof.wrong) or 'nothing'}; the bar is {'kept' if proof.holds else 'not kept'}")
    return int(not proof.holds)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
