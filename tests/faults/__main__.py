"""`python -m tests.faults`: every provider fails in every way under requests that leave the model open."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.faults.faults import KINDS, MODELS
from tests.faults.proof import HEADING, Load, prove

SETTINGS = ("HEDGED_REQUESTS",)
"""Settings of the environment that the gateway gets, too."""


def main() -> int:
    """Print the table; 0 when in each case enough was served, with few enough calls, and the books are equal."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each fault lasts")
    parser.add_argument("--at-once", type=int, default=16, help="callers")
    parser.add_argument("--provider", choices=MODELS, action="append", help="only this one")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this one")
    options = parser.parse_args()
    faults = [(provider, kind) for kind in options.kind or KINDS for provider in options.provider or MODELS]
    _tell(HEADING)
    with tempfile.TemporaryDirectory() as directory:
        cases = prove(Path(directory), faults, Load(options.seconds, options.at_once), _tell, settings=_settings())
    missed = sum(not case.holds for case in cases)
    _tell(f"the bars are kept in {len(cases) - missed} of {len(cases)} cases")
    return int(missed > 0)


def _settings() -> dict[str, str]:
    """What this program is told of the gateway's settings."""
    return {name: os.environ[name] for name in SETTINGS if name in os.environ}


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
