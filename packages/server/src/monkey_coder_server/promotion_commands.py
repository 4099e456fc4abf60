"""`monkey-server admin promotions list | add | end`: what they are told."""

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


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the commands to `admin`."""
    promotions = actions.add_parser("promotions", help="codes that give credit, each account once")
    commands = promotions.add_subparsers(metavar="ACTION", required=True)
    listed = commands.add_parser("list", help="every promotion that can be redeemed or will be")
    listed.add_argument("--all", action="store_true", help="those that are over or used up, too")
    listed.add_argument("--json", action="store_true", help="print one JSON document")
    listed.set_defaults(command=lambda options: _list(operate, say, options))
    _add_add(commands, operate, say)
    end = commands.add_parser("end", help="end a promotion; credit that was given stays")
    end.add_argument("promotion", metavar="ID", help="as `admin promotions list` names it")
    end.add_argument("--at", dest="ends", metavar="DATE", help="the UTC day or moment it ends at (default now)")
    end.add_argument("--reason", required=True, help="for the audit trail")
    end.set_defaults(command=lambda options: say(operate(lambda settings: _end(settings, options))))


def _add_add(commands: Any, operate: Operate, say: Print) -> None:
    put = commands.add_parser("add", help="make a promotion; prints its code")
    put.add_argument("--usd", required=True, metavar="N", help="what each account gets")
    put.add_argument("--days", required=True, type=int, metavar="D", help="how long an account has the credit")
    put.add_argument("--campaign", required=True, metavar="NAME", help="what customers read")
    put.add_argument("--code", metavar="CODE", help="6 to 40 letters and digits (default: one nobody can guess)")
    put.add_argument("--from", dest="starts", metavar="DATE", help="first UTC day or moment (default now)")
    put.add_argument("--until", dest="ends", metavar="DATE", help="the UTC day or moment it ends at (default never)")
    put.add_argument("--max", dest="most", type=int, metavar="N", help="accounts that can redeem it in all")
    put.add_argument("--new-within", type=int, metavar="D", help="only accounts that were opened in the last D days")
    put.add_argument("--plan", dest="plans", action="append", metavar="ID", help="only accounts on it; may be repeated")
    put.add_argument("--reason", required=True, help="for the audit trail")
    put.set_defaults(command=lambda options: say(operate(lambda settings: _add(settings, options))))


def _list(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import promotions  # noqa: PLC0415 - heavy

    found = operate(lambda settings: promotions.list_all(settings, gone=options.all))
    if found is None:
        return FAILED
    return say([json.dumps(found)] if options.json else promotions.lines(found))


async def _add(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import promotions  # noqa: PLC0415 - heavy

    return await promotions.put(settings, options)


async def _end(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import promotions  # noqa: PLC0415 - heavy

    return await promotions.end(settings, options.promotion, reason=options.reason, ends=options.ends)
