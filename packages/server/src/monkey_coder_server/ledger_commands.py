"""`monkey-server admin ledger verify | rebuild-sums | unbooked …`: what they are told."""

import argparse
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from monkey_coder_server.settings import Settings

Operate = Callable[[Callable[[Settings], Coroutine[Any, Any, Any]]], Any]
"""Runs an action on the configured books; None after complaining about what stopped it."""
Print = Callable[[Sequence[str] | None], int]
"""Prints the lines of an action and gives the exit code."""
FAILED = 1
LONGEST_WAIT_SECONDS = 300


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the commands to `admin`."""
    ledger = actions.add_parser("ledger", help="the books").add_subparsers(metavar="ACTION", required=True)
    ledger.add_parser("rebuild-sums", help="make the daily sums of usage anew from its rows").set_defaults(
        command=lambda _: say(operate(_rebuild_sums))
    )
    verify = ledger.add_parser("verify", help="audit the books; exit 1 unless every check is 0")
    verify.add_argument(
        "--max-wait",
        type=_seconds,
        default=LONGEST_WAIT_SECONDS,
        metavar="SECONDS",
        help=f"how long endings may wait in a journal for the books (default {LONGEST_WAIT_SECONDS})",
    )
    verify.set_defaults(command=lambda options: _verify(operate, say, options.max_wait))
    _add_unbooked(ledger, operate, say)


def _add_unbooked(ledger: Any, operate: Operate, say: Print) -> None:
    unbooked = ledger.add_parser("unbooked", help="endings the books could not take")
    actions = unbooked.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("list", help="list them with why").set_defaults(command=lambda _: say(operate(_list)))
    retry = actions.add_parser("retry", help="book them as they were told; exit 1 unless all are booked then")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("--request", metavar="ID")
    which.add_argument("--all", action="store_true")
    retry.set_defaults(command=lambda options: _retry(operate, say, options.request))
    off = actions.add_parser("write-off", help="end one without a charge: its cost is the house's loss")
    off.add_argument("--request", metavar="ID", required=True)
    off.add_argument("--reason", required=True)
    off.set_defaults(command=lambda options: say(operate(lambda settings: _write_off(settings, options))))


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 31_536_000):
        message = f"{text!r} is not a number of seconds from 0 to 31536000"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _verify(operate: Operate, say: Print, seconds: int) -> int:
    from monkey_coder_server.bootstrap import ledger  # noqa: PLC0415 - heavy

    report = operate(lambda settings: ledger.verify(settings, timedelta(seconds=seconds)))
    if report is None:
        return FAILED
    say([json.dumps(report, indent=2)])
    return 0 if report["sound"] else FAILED


def _retry(operate: Operate, say: Print, request_id: str | None) -> int:
    from monkey_coder_server.bootstrap import ledger  # noqa: PLC0415 - heavy

    lines, all_booked = operate(lambda settings: ledger.retry_unbooked(settings, request_id)) or (None, False)
    say(lines)
    return 0 if all_booked else FAILED


async def _rebuild_sums(settings: Settings) -> Sequence[str]:
    from monkey_coder_server.bootstrap import reports  # noqa: PLC0415 - heavy

    return await reports.rebuild(settings)


async def _list(settings: Settings) -> Sequence[str]:
    from monkey_coder_server.bootstrap import ledger  # noqa: PLC0415 - heavy

    return await ledger.list_unbooked(settings)


async def _write_off(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import ledger  # noqa: PLC0415 - heavy

    return await ledger.write_off(settings, options.request, options.reason)
