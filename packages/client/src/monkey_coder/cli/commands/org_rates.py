"""`orgs rates`: how much the levels of an organization may ask."""

from typing import Any

import click
import msgspec

from monkey_coder.cli.command import command
from monkey_coder.cli.commands.org_levels import LEVELS
from monkey_coder.cli.group import group
from monkey_coder.cli.levels_shown import rate_rows
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.organization_session import Who, acting, organization_options
from monkey_coder.cli.session import Session
from monkey_coder_protocol.organizations import SetRate


@command("list", examples=("monkey orgs rates list",))
@organization_options
@pass_session
def list_rates(session: Session, /, **who: Any) -> None:
    """List every rate in it."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.rates(act.organization_id)
    session.emit(found, text=lambda: rate_rows(found.rates))


@command(
    "set",
    examples=(
        "monkey orgs rates set team team_… --requests 600 --concurrency 20",
        "monkey orgs rates set project shop --none",
    ),
)
@click.argument("level", type=LEVELS)
@click.argument("holder_id", required=False)
@click.option("--requests", type=click.IntRange(min=0), metavar="N", help="Most requests a minute.")
@click.option("--tokens", type=click.IntRange(min=0), metavar="N", help="Most tokens a minute.")
@click.option("--concurrency", type=click.IntRange(min=0), metavar="N", help="Most requests at once.")
@click.option("--none", "none", is_flag=True, help="Take back all that are not given a number.")
@click.option("--model", metavar="NAME", help="Only of this provider/model.")
@organization_options
@pass_session
def set_rates(  # noqa: PLR0913  # one parameter an option
    session: Session,
    /,
    level: str,
    holder_id: str | None,
    *,
    requests: int | None,
    tokens: int | None,
    concurrency: int | None,
    none: bool,
    model: str | None,
    **who: Any,
) -> None:
    """Say how much LEVEL (as in `limits set`) may ask."""
    if not none and requests is tokens is concurrency is None:
        message = "Say one of --requests, --tokens and --concurrency, or --none."
        raise click.UsageError(message)

    def wished(figure: int | None) -> int | msgspec.UnsetType | None:
        return msgspec.UNSET if figure is None and not none else figure

    wish = SetRate(
        holder=level,
        holder_id=holder_id,
        model=model,
        requests=wished(requests),
        tokens=wished(tokens),
        concurrency=wished(concurrency),
    )
    with acting(session, Who(**who)) as act:
        found = act.organizations.set_rates(act.organization_id, wish)
    session.emit(found, text=lambda: rate_rows(found.rates))


rates = group("rates", "How much its levels may ask; a request must fit into all of them.", list_rates, set_rates)
