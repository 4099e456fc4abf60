"""`monkey-server admin operators grant | revoke | list`: what they are told."""

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
ROLES = ("support", "billing", "admin")


def add(actions: Any, operate: Operate, say: Print) -> None:
    """Add the commands to `admin`."""
    operators = actions.add_parser("operators", help="people who run this gateway, and what they may do over HTTP")
    commands = operators.add_subparsers(metavar="ACTION", required=True)
    grant = commands.add_parser("grant", help="give a person with a second factor a role")
    grant.add_argument("--email", required=True)
    grant.add_argument("--role", choices=ROLES, required=True, help="support looks, billing moves money, admin: all")
    grant.add_argument("--reason", required=True, help="for the audit trail")
    grant.add_argument(
        "--unproven-address", action="store_true", help="although nobody has proved to read mail at the address"
    )
    grant.set_defaults(command=lambda options: say(operate(lambda settings: _grant(settings, options))))
    revoke = commands.add_parser("revoke", help="take a role, or all, from a person; at once, everywhere")
    revoke.add_argument("--email", required=True)
    revoke.add_argument("--role", choices=ROLES, help="only this one (default all)")
    revoke.add_argument("--reason", required=True, help="for the audit trail")
    revoke.set_defaults(command=lambda options: say(operate(lambda settings: _revoke(settings, options))))
    listed = commands.add_parser("list", help="everybody in every role")
    listed.add_argument("--json", action="store_true", help="print one JSON document")
    listed.set_defaults(command=lambda options: _list(operate, say, options))


async def _grant(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import operators  # noqa: PLC0415 - heavy

    return await operators.grant(
        settings, email=options.email, role=options.role, reason=options.reason, unproven=options.unproven_address
    )


async def _revoke(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import operators  # noqa: PLC0415 - heavy

    return await operators.revoke(settings, email=options.email, role=options.role, reason=options.reason)


def _list(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import operators  # noqa: PLC0415 - heavy

    found = operate(operators.list_all)
    if found is None:
        return FAILED
    if options.json:
        return say([json.dumps(found)])
    return say([f"{each['email']:40} {each['role']:8} by {each['given_by']} at {each['given_at']}" for each in found])
