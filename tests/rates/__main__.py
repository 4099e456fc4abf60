"""Limits under 256 callers on four processes: with Redis, without it, and with one that is killed in mid-run.

`python -m tests.rates [--over limiters|http] [--case redis|alone|killed]` prints for each limit what was granted in
the worst 60 seconds, and how much of it could be used: of the limiters alone, and of real gateways over HTTP.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from tests.kills.series import cluster
from tests.rates import limiters
from tests.rates.findings import judged
from tests.rates.house import tried
from tests.rates.trials import TRIALS

LIMITERS, HTTP = "limiters", "http"
LIMITERS_SECONDS = 150.0


def main() -> int:
    """0 when no limit was exceeded and nearly all of each could be used."""
    parser = argparse.ArgumentParser(prog="python -m tests.rates")
    parser.add_argument("--over", choices=(LIMITERS, HTTP), action="append", help="only these; both if none is named")
    parser.add_argument(
        "--case", choices=[trial.case for trial in TRIALS], action="append", help="over HTTP only these"
    )
    options = parser.parse_args()
    over = options.over or [LIMITERS, HTTP]
    sound = LIMITERS not in over or limiters.prove(LIMITERS_SECONDS)
    if HTTP in over:
        sound = _over_http(options.case or [trial.case for trial in TRIALS]) and sound
    return 0 if sound else 1


def _over_http(cases: list[str]) -> bool:
    sound = True
    for trial in TRIALS:
        if trial.case not in cases:
            continue
        with contextlib.ExitStack() as opened:
            data = opened.enter_context(tempfile.TemporaryDirectory())
            found = judged(trial, tried(Path(data), opened.enter_context(cluster()), trial))
        for finding in found:
            sys.stdout.write(f"{trial.case:7} {finding}\n")
            sound = sound and not finding.wrong
        sys.stdout.flush()
    return sound


if __name__ == "__main__":
    sys.exit(main())
