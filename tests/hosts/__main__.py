"""`python -m tests.hosts`: two hosts of two processes, every fault, a table of what came of each."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.hosts import namespaces
from tests.hosts.finding import Finding
from tests.hosts.proof import FAULTS, prove


def main() -> int:
    """Print a block a fault; 0 when every outcome is the required one."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one; may be repeated")
    parser.add_argument("--workers", type=int, default=1, help="of one gateway a host, instead of two gateways")
    parser.add_argument("--wires", action="store_true", help="wires in one network, also where namespaces are allowed")
    options = parser.parse_args()
    if namespaces.INSIDE in os.environ:
        namespaces.open_loopback()
        _say("Each host has a network namespace of its own; what is cut off loses packets.")
    elif options.wires:
        _say("Hosts share a network; wires that fall silent stand for theirs.")
    else:
        try:
            command = namespaces.command_inside([sys.executable, "-m", "tests.hosts", *sys.argv[1:]])
        except namespaces.NotAllowed as refused:
            _say(f"NO NETWORK NAMESPACES HERE ({refused}): wires that fall silent stand for the networks of hosts.")
        else:
            os.execvpe(command[0], command, {**os.environ, namespaces.INSIDE: "1"})  # noqa: S606 - in its place
    with tempfile.TemporaryDirectory() as directory:
        found = prove(Path(directory), options.fault or list(FAULTS), workers=options.workers, told=_tell)
    return int(any(finding.wrong for finding in found))


def _tell(finding: Finding) -> None:
    verdict = "as required" if not finding.wrong else f"WRONG: {'; '.join(finding.wrong)}"
    _say(f"{finding.fault:32}{'; '.join(finding.figures)}\n{'':32}{verdict}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
