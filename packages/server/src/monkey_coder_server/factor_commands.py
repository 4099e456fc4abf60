"""`monkey-server admin remove-factors`: what it is told."""

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
    """Add the command to `admin`."""
    remove = actions.add_parser(
        "remove-factors", help="take away all second factors of a person who lost them; their sessions end"
    )
    remove.add_argument("--email", required=True)
    remove.add_argument("--reason", required=True, help="for the audit trail: how it was made sure that it is them")
    remove.add_argument("--json", action="store_true", help="print one JSON document")
    remove.set_defaults(command=lambda options: _remove(operate, say, options))


def _remove(operate: Operate, say: Print, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import operator  # noqa: PLC0415 - heavy

    removed = operate(lambda settings: operator.remove_factors(settings, email=options.email, reason=options.reason))
    if removed is None:
        return FAILED
    if options.json:
        return say([json.dumps({"email": options.email, "removed": removed})])
    return say([f"{removed} second factors of {options.email} were removed; the password alone logs in now"])
