"""`quote`: the price before the work."""

from typing import Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.session import Session
from monkey_coder.cli.sources import read_sources
from monkey_coder_protocol.billing import Quote


@command(
    "quote", examples=('monkey quote "create a REST API"', 'monkey quote "add paging" src/*.py --model auto:cheap')
)
@click.argument("prompt")
@click.argument("files", nargs=-1)
@click.option("-m", "--model", metavar="NAME", help="As for implement.")
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Prefer this provider; repeatable.")
@click.option("--max-cost", type=AMOUNT, metavar="USD", help="Leave out what could cost more.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Longest answer.")
@pass_session
def quote(session: Session, /, prompt: str, files: tuple[str, ...], **flags: Any) -> None:
    """Say what a task for PROMPT with FILES would cost, route by route. Nothing is charged."""
    session.max_cost = flags["max_cost"]
    options = {key: value for key, value in flags.items() if value}
    sources = read_sources(files)
    with session.client() as client:
        offer = client.quote(prompt, files=sources, **options)
    session.emit(offer, text=lambda: _offer(offer))


def _offer(offer: Quote) -> str:
    from monkey_coder.results import route_name  # noqa: PLC0415  # the SDK is imported when it is asked

    rows = [
        (
            route_name(route.provider, route.model),
            output.usd(route.expected_usd),
            output.usd(route.maximum_usd),
            f"{route.input_tokens:,}",
            f"{route.expected_output_tokens:,}",
            f"{route.maximum_output_tokens:,}",
        )
        for route in offer.routes
    ]
    table = output.columns(("route", "expected", "at most", "tokens in", "out", "out at most"), rows)
    facts = output.fields(
        [
            ("would go to", offer.route),
            ("expected", output.usd(offer.expected_usd)),
            ("at most", output.usd(offer.maximum_usd)),
            ("quote", f"{offer.quote_id}, until {offer.expires_at}"),
        ]
    )
    return f"{table}\n\n{facts}"
