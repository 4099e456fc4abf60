"""`monkey-server admin business`: what it is told."""

import argparse
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from monkey_coder_server.settings import Settings

Operate = Callable[[Callable[[Settings], Coroutine[Any, Any, Any]]], Any]
"""Runs an action on the configured books; None after complaining about what stopped it."""
Print = Callable[[Sequence[str] | None], int]
"""Prints the lines of an action and gives the exit code."""
FAILED = 1
BY = ("provider", "model", "plan", "customer", "day")


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the command to `admin`."""
    business = actions.add_parser("business", help="revenue, provider cost, margin and losses of some days")
    business.add_argument("--from", dest="first", metavar="DATE", help="first UTC day (default thirty days)")
    business.add_argument("--to", dest="last", metavar="DATE", help="last UTC day, included (default today)")
    business.add_argument("--by", choices=BY, default="provider", help="what lines are told apart by")
    form = business.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", action="store_true", help="print the lines as CSV")
    business.set_defaults(command=lambda options: _business(operate, say, options))


def _business(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import business  # noqa: PLC0415 - heavy

    found = operate(lambda settings: business.report(settings, start=options.first, end=options.last, by=options.by))
    if found is None:
        return FAILED
    if options.json:
        return say([json.dumps(found)])
    return say(business.table(found) if options.csv else business.lines(found))
