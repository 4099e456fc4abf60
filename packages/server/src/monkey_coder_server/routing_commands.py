"""`monkey-server admin routing replay | export`: what they are told."""

import argparse
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from typing import Any

from monkey_coder_server.settings import Settings

Operate = Callable[[Callable[[Settings], Coroutine[Any, Any, Any]]], Any]
"""Runs an action on the configured books; None after complaining about what stopped it."""
Print = Callable[[Sequence[str] | None], int]
"""Prints the lines of an action and gives the exit code."""
Day = Callable[[str], date]
FAILED = 1


def add(actions: Any, operate: Operate, say: Print, day: Day) -> None:
    """Add the commands to `admin`."""
    routing = actions.add_parser("routing", help="what routing decided").add_subparsers(metavar="ACTION", required=True)
    replay = routing.add_parser("replay", help="what another rule would have come to, and how sure that is")
    replay.add_argument("--since", type=day, required=True, metavar="DATE", help="first UTC day")
    replay.add_argument("--until", type=day, metavar="DATE", help="last UTC day, included (default: today)")
    replay.add_argument(
        "--policy",
        required=True,
        metavar="POLICY",
        help="auto, cheapest, best, single:PROVIDER/MODEL or weights:QUALITY,COST,LATENCY",
    )
    replay.add_argument("--json", action="store_true", help="print one JSON document")
    replay.set_defaults(command=lambda options: _replay(options, operate, say))
    export = routing.add_parser("export", help="write the log of decisions as a file to standard output")
    export.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv")
    export.add_argument("--from", dest="since", type=day, required=True, metavar="DATE", help="first UTC day")
    export.add_argument("--to", dest="until", type=day, metavar="DATE", help="last UTC day, included (default: today)")
    export.set_defaults(command=lambda options: _export(options, operate))


def _replay(options: argparse.Namespace, operate: Operate, say: Print) -> int:
    from monkey_coder_server.bootstrap import routing  # noqa: PLC0415 - heavy
    from monkey_coder_server.features.inference import policy_replay  # noqa: PLC0415 - heavy

    time = routing.Time(options.since, options.until)
    document = operate(lambda settings: routing.replay(settings, time, options.policy))
    if document is None:
        return FAILED
    return say([json.dumps(document, indent=2)] if options.json else policy_replay.lines(document))


def _export(options: argparse.Namespace, operate: Operate) -> int:
    from monkey_coder_server.bootstrap import routing  # noqa: PLC0415 - heavy

    time, write = routing.Time(options.since, options.until), sys.stdout.buffer.write
    return FAILED if operate(lambda settings: routing.export(settings, time, options.format, write)) is None else 0
