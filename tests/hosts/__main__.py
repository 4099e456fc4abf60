"""`python -m tests.hosts`: two hosts of two gateways, every fault, a table of what came of each."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hosts.finding import Finding
from tests.hosts.proof import FAULTS, prove


def main() -> int:
    """Print a block a fault; 0 when every outcome is the required one."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = prove(Path(directory), options.fault or list(FAULTS), told=_tell)
    return int(any(finding.wrong for finding in found))


def _tell(finding: Finding) -> None:
    verdict = "as required" if not finding.wrong else f"WRONG: {'; '.join(finding.wrong)}"
    sys.stdout.write(f"{finding.fault:32}{'; '.join(finding.figures)}\n{'':32}{verdict}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
