"""`monkey-server admin list-keys`: what it is told."""

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


def _list_keys(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import access  # noqa: PLC0415 - heavy

    keys = operate(lambda settings: access.list_keys(settings, only_old=options.not_current))
    if keys is None:
        return FAILED
    if options.json:
        return say([json.dumps(keys)])
    return say([f"{each['key_id']:32} {each['prefix']:20} {each['pepper']:9} {each['name']}" for each in keys])
