"""`monkey-server admin payments | refund-payment | thaw`: what they are told."""

import argparse
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from monkey_coder_server.settings import Settings

Action = Callable[[Settings], Coroutine[Any, Any, Sequence[str]]]
Run = Callable[[Action], int]
"""Runs an action on the configured books, prints its lines, and gives the exit code."""


def add(actions: Any, run: Run) -> None:
    """Add the commands to `admin`."""
    payments = actions.add_parser("payments", help="what an account paid, and what can be given back of it")
    _add_whose(payments)
    payments.set_defaults(command=lambda options: run(lambda settings: _payments(settings, options)))
    refund = actions.add_parser("refund-payment", help="give back a part of what was paid, never what is spent")
    _add_whose(refund)
    refund.add_argument("--usd", required=True, metavar="N", help="an amount, or all")
    refund.add_argument("--payment", metavar="ID", help="of this payment, as `admin payments` names it")
    refund.add_argument("--reason", required=True)
    refund.set_defaults(command=lambda options: run(lambda settings: _refund(settings, options)))
    thaw = actions.add_parser("thaw", help="let an account under a fraud warning spend again")
    _add_whose(thaw)
    thaw.add_argument("--forgive", action="store_true", help="the house bears the account's debts")
    thaw.add_argument("--reason", required=True)
    thaw.set_defaults(command=lambda options: run(lambda settings: _thaw(settings, options)))


async def _payments(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import operator_payments  # noqa: PLC0415 - heavy, only for this command

    return await operator_payments.payments(settings, options.whose)


async def _refund(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import operator_payments  # noqa: PLC0415 - heavy, only for this command

    return await operator_payments.refund(
        settings, options.whose, amount_usd=options.usd, payment=options.payment, reason=options.reason
    )


async def _thaw(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import operator_payments  # noqa: PLC0415 - heavy, only for this command

    return await operator_payments.thaw(settings, options.whose, reason=options.reason, forgive=options.forgive)


def _add_whose(parser: argparse.ArgumentParser) -> None:
    """Whose account: a person's, or an organization."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--email", dest="whose", metavar="E", help="the account of this person")
    whose.add_argument("--organization", dest="whose", metavar="ID", help="the account of this organization")
