"""`quote`: the price before the work."""

from typing import Any

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.quoted import shown
from monkey_coder.cli.route_options import route_options
from monkey_coder.cli.session import Session
from monkey_coder.cli.sources import read_sources


@command(
    "quote", examples=('monkey quote "create a REST API"', 'monkey quote "add paging" src/*.py --model auto:cheap')
)
@click.argument("prompt")
@click.argument("files", nargs=-1)
@click.option("-m", "--model", metavar="NAME", help="As for implement.")
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Prefer this provider; repeatable.")
@click.option("--max-cost", type=AMOUNT, metavar="USD", help="Leave out what could cost more.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Longest answer.")
@route_options
@pass_session
def quote(session: Session, /, prompt: str, files: tuple[str, ...], **flags: Any) -> None:
    """Say what a task for PROMPT with FILES would cost, route by route. Nothing is charged."""
    session.max_cost = flags["max_cost"]
    options = {key: value for key, value in flags.items() if value}
    sources = read_sources(files)
    with session.client() as client:
        offer = client.quote(prompt, files=sources, **options)
    session.emit(offer, text=lambda: shown(offer))
