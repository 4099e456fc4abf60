"""`monkey-server admin list-keys | impersonate`: what they are told."""

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
    keys = actions.add_parser("list-keys", help="list the keys in use of all accounts, and which pepper digests them")
    keys.add_argument("--not-current", action="store_true", help="only those KEY_PEPPER's first secret did not digest")
    keys.add_argument("--json", action="store_true", help="print one JSON document")
    keys.set_defaults(command=lambda options: _list_keys(operate, say, options))
    acting = actions.add_parser("impersonate", help="a token that sees what a person sees and changes nothing")
    acting.add_argument("--email", required=True, help="whose place it takes")
    acting.add_argument("--reason", required=True, help="why; the person reads it in their audit trail")
    acting.add_argument("--minutes", type=int, default=10, metavar="N", help="how long, at most 15 (default 10)")
    acting.add_argument("--json", action="store_true", help="print one JSON document")
    acting.set_defaults(command=lambda options: _impersonate(operate, say, options))


def _impersonate(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import access  # noqa: PLC0415 - heavy

    made = operate(
        lambda settings: access.impersonate(
            settings, email=options.email, reason=options.reason, minutes=options.minutes
        )
    )
    if made is None:
        return FAILED
    if options.json:
        return say([json.dumps(made)])
    return say([f"access token  {made['access_token']}", f"good until    {made['expires_at']}"])


def _list_keys(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import access  # noqa: PLC0415 - heavy

    keys = operate(lambda settings: access.list_keys(settings, only_old=options.not_current))
    if keys is None:
        return FAILED
    if options.json:
        return say([json.dumps(keys)])
    return say([f"{each['key_id']:32} {each['prefix']:20} {each['pepper']:9} {each['name']}" for each in keys])
