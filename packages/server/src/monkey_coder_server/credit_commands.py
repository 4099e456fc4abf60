"""`monkey-server admin grant | grants | refund | set-limits | limits | set-rates | rates`: what they are told."""

import argparse
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from monkey_coder_server.settings import Settings

Action = Callable[[Settings], Coroutine[Any, Any, Sequence[str]]]
Run = Callable[[Action], int]
"""Runs an action on the configured books, prints its lines, and gives the exit code."""
DEFAULT_PRIORITY = 100


def add(actions: Any, run: Run) -> None:
    """Add the commands to `admin`."""
    _add_grant(actions, run)
    _add_refund(actions, run)
    _add_limits(actions, run)
    _add_rates(actions, run)


def _add_grant(actions: Any, run: Run) -> None:
    grant = actions.add_parser("grant", help="add credit to an account")
    _add_whose(grant)
    grant.add_argument("--usd", required=True)
    grant.add_argument("--reason", required=True)
    grant.add_argument(
        "--kind", choices=("promo", "trial", "purchase"), default="promo", help="purchase: paid for (default promo)"
    )
    grant.add_argument(
        "--priority", type=int, default=DEFAULT_PRIORITY, metavar="P", help="the lowest number is spent first (100)"
    )
    grant.add_argument("--expires-days", type=_days, metavar="N", help="what is left then is gone (default never)")
    grant.set_defaults(command=lambda options: run(lambda settings: _grant(settings, options)))
    grants = actions.add_parser("grants", help="an account's credit, grant by grant, as it will be spent")
    _add_whose(grants)
    grants.set_defaults(command=lambda options: run(lambda settings: _grants(settings, options)))


def _add_refund(actions: Any, run: Run) -> None:
    refund = actions.add_parser("refund", help="give a charge back, or take a grant back")
    _add_whose(refund)
    undone = refund.add_mutually_exclusive_group(required=True)
    undone.add_argument("--request", metavar="ID", help="the request whose charge is given back")
    undone.add_argument("--grant", metavar="ID", help="the grant that is taken back, as `admin grants` names it")
    refund.add_argument("--usd", required=True)
    refund.add_argument("--reason", required=True)
    refund.set_defaults(command=lambda options: run(lambda settings: _refund(settings, options)))


def _add_limits(actions: Any, run: Run) -> None:
    wanted = actions.add_parser("set-limits", help="limit what an account, a project or a key spends")
    _add_whose(wanted)
    holder = wanted.add_mutually_exclusive_group()
    holder.add_argument("--key", metavar="ID", help="one key of the account")
    holder.add_argument("--project", metavar="P", help="all keys of a project")
    wanted.add_argument("--model", metavar="M", help="only what this model costs (provider/model)")
    wanted.add_argument("--per", required=True, choices=("day", "month", "total"), help="UTC days and months")
    much = wanted.add_mutually_exclusive_group(required=True)
    much.add_argument("--usd", metavar="N")
    much.add_argument("--tokens", type=int, metavar="N")
    much.add_argument("--none", action="store_true", help="take the limits back, in USD and in tokens")
    wanted.set_defaults(command=lambda options: run(lambda settings: _set_limits(settings, options)))
    limits = actions.add_parser("limits", help="list limits with what is used of them")
    _add_whose(limits, required=False)
    limits.set_defaults(command=lambda options: run(lambda settings: _limits(settings, options)))


def _add_rates(actions: Any, run: Run) -> None:
    wanted = actions.add_parser("set-rates", help="limit how much an account, a team, a project or a key asks")
    _add_whose(wanted)
    holder = wanted.add_mutually_exclusive_group()
    holder.add_argument("--key", metavar="ID", help="one key of the account")
    holder.add_argument("--project", metavar="P", help="all keys of a project")
    holder.add_argument("--team", metavar="ID", help="all keys of a team of the organization")
    wanted.add_argument("--model", metavar="M", help="only requests for this model (provider/model)")
    for measure, counted in (
        ("requests", "requests a minute"),
        ("tokens", "tokens a minute"),
        ("concurrency", "requests at once"),
    ):
        wanted.add_argument(f"--{measure}", type=int, metavar="N", help=counted)
    wanted.add_argument("--none", action="store_true", help="take back all rates that are not given a number")
    wanted.set_defaults(command=lambda options: run(lambda settings: _set_rates(settings, options)))
    rates = actions.add_parser("rates", help="list rates of accounts and those in them")
    _add_whose(rates, required=False)
    rates.set_defaults(command=lambda options: run(lambda settings: _rates(settings, options)))


def _add_whose(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Whose account: a person's, or an organization."""
    whose = parser.add_mutually_exclusive_group(required=required)
    whose.add_argument("--email", dest="whose", metavar="E", help="the account of this person")
    whose.add_argument("--organization", dest="whose", metavar="ID", help="the account of this organization")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 36_500):
        message = f"{text!r} is not a number of days from 1 to 36500"
        raise argparse.ArgumentTypeError(message)
    return int(text)


async def _grant(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit  # noqa: PLC0415 - heavy

    wish = credit.GrantWish(
        options.whose, options.usd, options.reason, options.kind, options.priority, options.expires_days
    )
    return await credit.grant(settings, wish)


async def _grants(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit  # noqa: PLC0415 - heavy

    return await credit.list_grants(settings, options.whose)


async def _refund(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit  # noqa: PLC0415 - heavy

    undoes = options.grant or f"settle:{options.request}"
    return await credit.refund(
        settings, whose=options.whose, undoes=undoes, amount_usd=options.usd, reason=options.reason
    )


async def _set_limits(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit  # noqa: PLC0415 - heavy
    from monkey_coder_server.domain.limits import Period  # noqa: PLC0415 - heavy
    from monkey_coder_server.features.accounts.limits import LimitWish  # noqa: PLC0415 - heavy

    wish = LimitWish(
        options.whose,
        Period(options.per),
        credit.allowance(options.usd, options.tokens),
        key_id=options.key,
        project_id=options.project,
        model=credit.model_name(options.model),
    )
    return await credit.set_limits(settings, wish)


async def _limits(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit  # noqa: PLC0415 - heavy

    return await credit.list_limits(settings, options.whose)


async def _set_rates(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import credit, rates  # noqa: PLC0415 - heavy
    from monkey_coder_server.features.accounts.rates import RateWish  # noqa: PLC0415 - heavy

    figures = {"requests": options.requests, "tokens": options.tokens, "concurrency": options.concurrency}
    wish = RateWish(
        options.whose,
        rates.allowed(figures, none=options.none),
        key_id=options.key,
        project_id=options.project,
        team_id=options.team,
        model=credit.model_name(options.model),
    )
    return await rates.set_rates(settings, wish)


async def _rates(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    from monkey_coder_server.bootstrap import rates  # noqa: PLC0415 - heavy

    return await rates.list_rates(settings, options.whose)
