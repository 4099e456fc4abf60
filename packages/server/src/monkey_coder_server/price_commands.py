"""`monkey-server admin prices [diff | activate | show]`: what they are told."""

import argparse
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from monkey_coder_server.settings import Settings

Operate = Callable[[Callable[[Settings], Coroutine[Any, Any, Any]]], Any]
"""Runs an action on the configured books; None after complaining about what stopped it."""
Print = Callable[[Sequence[str] | None], int]
"""Prints the lines of an action and gives the exit code."""
FAILED = 1


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the commands to `admin`."""
    prices = actions.add_parser("prices", help="cost, markup, price and margin of each model; what new data changes")
    prices.add_argument("--plan", help="as this plan pays it (default prepaid)")
    prices.add_argument("--provider", help="only this provider's models")
    prices.add_argument("--json", action="store_true", help="print one JSON document")
    prices.set_defaults(command=lambda options: _list(operate, say, options))
    commands = prices.add_subparsers(metavar="ACTION")
    diff = commands.add_parser("diff", help="what the installed price data would change")
    diff.add_argument("--json", action="store_true", help="print one JSON document")
    diff.set_defaults(command=lambda options: _diff(operate, say, options))
    activate = commands.add_parser("activate", help="charge by the installed price data, on every running gateway")
    activate.add_argument("--yes", action="store_true", help="without being asked")
    activate.add_argument("--reason", default="activated by an operator", help="for the audit trail")
    activate.set_defaults(command=lambda options: _activate(operate, say, options))
    show = commands.add_parser("show", help="a book that was charged by, as receipts name it")
    show.add_argument("book", metavar="BOOK")
    show.add_argument("--json", action="store_true", help="print one JSON document")
    show.set_defaults(command=lambda options: _show(operate, say, options))


def _list(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import price_books  # noqa: PLC0415 - heavy

    found = operate(lambda settings: price_books.list_prices(settings, plan=options.plan, provider=options.provider))
    if found is None:
        return FAILED
    return say([json.dumps(found)] if options.json else price_books.price_lines(found))


def _diff(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import price_books  # noqa: PLC0415 - heavy

    found = operate(price_books.diff)
    if found is None:
        return FAILED
    return say([json.dumps(price_books.diff_document(found))] if options.json else price_books.diff_lines(found))


def _activate(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import price_books  # noqa: PLC0415 - heavy

    seen = operate(price_books.diff)
    if seen is None:
        return FAILED
    say(price_books.diff_lines(seen))
    if not options.yes:
        sys.stdout.write("Activate? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            say(["nothing was activated"])
            return FAILED
    return say(operate(lambda settings: price_books.activate(settings, seen, options.reason)))


def _show(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import price_books  # noqa: PLC0415 - heavy

    found = operate(lambda settings: price_books.show(settings, options.book))
    if found is None:
        return FAILED
    if options.json:
        return say([json.dumps(found)])
    since = [f"from {each['from'][:16]} by {each['by']}: {each['reason']}" for each in found["activations"]]
    return say([*price_books.price_lines(found), *since])
