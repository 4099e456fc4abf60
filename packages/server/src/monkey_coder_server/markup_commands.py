"""`monkey-server admin markups list | set | end`: what they are told."""

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
    markups = actions.add_parser("markups", help="what is added to the cost of models, by plan, provider and model")
    commands = markups.add_subparsers(metavar="ACTION", required=True)
    listed = commands.add_parser("list", help="every markup that holds or will; the most specific one counts")
    listed.add_argument("--all", action="store_true", help="those that are over, too")
    listed.add_argument("--json", action="store_true", help="print one JSON document")
    listed.set_defaults(command=lambda options: _list(operate, say, options))
    put = commands.add_parser("set", help="add a markup; running gateways charge it within ten seconds")
    put.add_argument("--percent", required=True, metavar="P", help="what is added, like 12.5")
    put.add_argument("--plan", help="only for accounts on this plan")
    put.add_argument("--provider", help="only for this provider's models")
    put.add_argument("--model", help="only for this model")
    put.add_argument("--from", dest="starts", metavar="DATE", help="first UTC day or moment (default now)")
    put.add_argument("--until", dest="ends", metavar="DATE", help="the UTC day or moment it ends at (default never)")
    put.add_argument("--reason", required=True, help="for the audit trail")
    put.set_defaults(command=lambda options: say(operate(lambda settings: _set(settings, options))))
    end = commands.add_parser("end", help="end a markup; what was charged stays")
    end.add_argument("markup", metavar="ID", help="as `admin markups list` names it")
    end.add_argument("--at", dest="ends", metavar="DATE", help="the UTC day or moment it ends at (default now)")
    end.add_argument("--reason", required=True, help="for the audit trail")
    end.set_defaults(command=lambda options: say(operate(lambda settings: _end(settings, options))))


def _list(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import markups  # noqa: PLC0415 - heavy

    found = operate(lambda settings: markups.list_all(settings, over=options.all))
    if found is None:
        return FAILED
    return say([json.dumps(found)] if options.json else markups.lines(found))


async def _set(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import markups  # noqa: PLC0415 - heavy

    return await markups.put(
        settings,
        markup=options.percent,
        what=(options.plan, options.provider, options.model),
        span=(options.starts, options.ends),
        reason=options.reason,
    )


async def _end(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import markups  # noqa: PLC0415 - heavy

    return await markups.end(settings, options.markup, reason=options.reason, ends=options.ends)
