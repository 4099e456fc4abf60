"""`monkey-server admin plans | set-plan | set-credit-line | invoices`: what they are told."""

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
_FIELDS = (
    *("name", "kind", "fee", "included", "included_priority", "credit_line", "trial_credit"),
    *("listed", "offered_from", "offered_until"),
)


def add(actions: Any, operate: Operate, say: Print, day: Callable[[str], Any]) -> None:
    """Add the commands to `admin`."""
    plans = actions.add_parser("plans", help="what accounts can be on").add_subparsers(metavar="ACTION", required=True)
    listed = plans.add_parser("list", help="every plan, retired ones included")
    listed.add_argument("--json", action="store_true", help="print one JSON document")
    listed.set_defaults(command=lambda options: _list(operate, say, options))
    _add_set(plans, operate, say, day)
    retire = plans.add_parser("retire", help="put nobody on it any more; who is on it stays")
    retire.add_argument("plan", metavar="ID")
    retire.set_defaults(command=lambda options: say(operate(lambda settings: _retire(settings, options))))
    chosen = actions.add_parser("set-plan", help="put an account on a plan from now on")
    _add_whose(chosen)
    chosen.add_argument("--plan", required=True, metavar="ID")
    chosen.add_argument("--reason", required=True, help="for the audit trail")
    chosen.set_defaults(command=lambda options: say(operate(lambda settings: _set_plan(settings, options))))
    line = actions.add_parser("set-credit-line", help="let an account owe so much, to be invoiced each month")
    _add_whose(line)
    line.add_argument("--usd", required=True, metavar="N", help="in all; not below what is used of it")
    line.add_argument("--reason", required=True, help="for the audit trail")
    line.set_defaults(command=lambda options: say(operate(lambda settings: _set_line(settings, options))))
    _add_invoices(actions, operate, say)


def _add_set(plans: Any, operate: Operate, say: Print, day: Callable[[str], Any]) -> None:
    wanted = plans.add_parser("set", help="write a plan, or change what is named of it")
    wanted.add_argument("plan", metavar="ID", help="small letters, digits and hyphens")
    wanted.add_argument("--name", help="what customers read (default the id)")
    wanted.add_argument("--kind", choices=("prepaid", "subscription", "postpaid"))
    wanted.add_argument("--fee", metavar="USD", help="each month, in whole cents: a subscription's")
    wanted.add_argument("--included", metavar="USD", help="credit that a paid month gives, and that ends with it")
    wanted.add_argument("--included-priority", type=int, metavar="P", help="the lowest number is spent first (50)")
    wanted.add_argument("--credit-line", metavar="USD", help="what a postpaid account may owe")
    wanted.add_argument("--trial-credit", metavar="USD", help="what a new account starts with: the prepaid plan's")
    shown = wanted.add_mutually_exclusive_group()
    shown.add_argument("--listed", action="store_true", default=None, help="customers see it (default)")
    shown.add_argument("--unlisted", dest="listed", action="store_false", help="only operators put accounts on it")
    wanted.add_argument("--from", dest="offered_from", type=day, metavar="DATE", help="first UTC day")
    wanted.add_argument("--until", dest="offered_until", type=day, metavar="DATE", help="the UTC day it ends before")
    wanted.set_defaults(command=lambda options: say(operate(lambda settings: _set(settings, options))))


def _add_invoices(actions: Any, operate: Operate, say: Print) -> None:
    invoices = actions.add_parser("invoices", help="invoices for what was used of credit lines")
    commands = invoices.add_subparsers(metavar="ACTION", required=True)
    listed = commands.add_parser("list", help="an account's invoices")
    _add_whose(listed)
    listed.set_defaults(command=lambda options: say(operate(lambda settings: _invoices(settings, options))))
    lost = commands.add_parser("write-off", help="the house bears an invoice nobody pays")
    lost.add_argument("invoice", metavar="ID")
    lost.add_argument("--reason", required=True, help="for the audit trail")
    lost.set_defaults(command=lambda options: say(operate(lambda settings: _write_off(settings, options))))
    run = commands.add_parser("run", help="draw up the invoices of months that are over; the gateway does so by itself")
    run.set_defaults(command=lambda _options: say(operate(_run)))


def _add_whose(parser: argparse.ArgumentParser) -> None:
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--email", dest="whose", metavar="E", help="the account of this person")
    whose.add_argument("--organization", dest="whose", metavar="ID", help="the account of this organization")


def _list(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    found = operate(planning.list_plans)
    if found is None:
        return FAILED
    return say([json.dumps(found)] if options.json else planning.lines(found))


async def _set(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    given = {name: getattr(options, name) for name in _FIELDS if getattr(options, name) is not None}
    return await planning.write(settings, options.plan, given)


async def _retire(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.retire(settings, options.plan)


async def _set_plan(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.set_plan(settings, whose=options.whose, plan_id=options.plan, reason=options.reason)


async def _set_line(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.set_line(settings, whose=options.whose, amount_usd=options.usd, reason=options.reason)


async def _invoices(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.list_invoices(settings, options.whose)


async def _write_off(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.write_off(settings, options.invoice, reason=options.reason)


async def _run(settings: Settings) -> Sequence[str]:
    from monkey_coder_server.bootstrap import planning  # noqa: PLC0415 - heavy

    return await planning.draw_up(settings)
