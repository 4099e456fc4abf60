"""`monkey-server admin reconcile-payments | payment-events`: what they are told."""

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
DAYS = 7


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the commands to `admin`."""
    compare = actions.add_parser(
        "reconcile-payments", help="book what a lost webhook left out; exit 1 unless the processor's cash is the books'"
    )
    compare.add_argument("--days", type=_days, default=DAYS, metavar="N", help=f"how far to look back (default {DAYS})")
    compare.add_argument("--json", action="store_true", help="print one JSON document")
    compare.set_defaults(command=lambda options: _reconcile(operate, say, options))
    events = actions.add_parser("payment-events", help="what the processor told and could not be handled")
    events.set_defaults(command=lambda _: say(operate(_events)))


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 3_660):
        message = f"{text!r} is not a number of days from 1 to 3660"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _reconcile(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import payments  # noqa: PLC0415 - heavy

    document = operate(lambda settings: payments.reconcile(settings, options.days))
    if document is None:
        return FAILED
    say([json.dumps(document, indent=2)] if options.json else _lines(document))
    return 0 if document["sound"] else FAILED


def _lines(document: dict[str, Any]) -> list[str]:
    differing = [
        f"{each['payment']:32} {each['processor_usd']:>14} {each['books_usd']:>14}  {each['why']}"
        for each in document["differences"]
    ]
    verdict = "sound" if document["sound"] else "NOT RECONCILED"
    counted = f"{document['payments']} payments, {document['repaired']} booked now"
    return [
        f"{counted}, {document['other_currencies']} in other currencies",
        f"the processor holds {document['processor_usd']} USD of them, the books {document['books_usd']} USD",
        *differing,
        f"{verdict}: {len(differing)} differ, {document['unexplained_usd']} USD unexplained",
    ]


async def _events(settings: Settings) -> Sequence[str]:
    from monkey_coder_server.bootstrap import payments  # noqa: PLC0415 - heavy

    return await payments.waiting_events(settings)
