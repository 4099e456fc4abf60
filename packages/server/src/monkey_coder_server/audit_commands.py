"""`monkey-server admin audit verify | export`: what they are told."""

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
    audit = actions.add_parser("audit", help="the audit trail").add_subparsers(metavar="ACTION", required=True)
    verify = audit.add_parser("verify", help="check that no entry was changed or taken out; exit 1 unless so")
    verify.add_argument("--head", metavar="DIGEST", help="a head printed earlier, which must still be in the chain")
    verify.set_defaults(command=lambda options: _verify(operate, say, options.head))
    export = audit.add_parser("export", help="write the trail to standard output")
    export.add_argument("--format", choices=("csv", "jsonl"), default="jsonl")
    export.add_argument("--email", help="of one account only")
    export.set_defaults(command=lambda options: _export(operate, options))


def _verify(operate: Operate, say: Print, head: str | None) -> int:
    from monkey_coder_server.bootstrap import audit  # noqa: PLC0415 - heavy

    report = operate(lambda settings: audit.verify(settings, head))
    if report is None:
        return FAILED
    say([json.dumps(report, indent=2)])
    return 0 if report["sound"] else FAILED


def _export(operate: Operate, options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import audit  # noqa: PLC0415 - heavy

    done = operate(lambda settings: audit.write(settings, options.format, options.email, sys.stdout.buffer.write))
    return FAILED if done is None else 0
