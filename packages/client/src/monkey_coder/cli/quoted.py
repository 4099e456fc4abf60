"""A quote shown to a person, who says whether to go on."""

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client, TaskOptions
    from monkey_coder_protocol.billing import Quote


def agreed(session: Session, client: "Client", prompt: str, options: "TaskOptions") -> bool:
    """Show what the task would cost and ask; when the answer is yes, `options` carry the quote.

    Without somebody to ask the quote is the whole result.
    """
    offer = client.quote(prompt, **options)
    if not session.may_ask:
        session.emit(offer, text=lambda: shown(offer))
        return False
    output.error_line(shown(offer))
    question = f"Go on, for {output.usd(offer.maximum_usd)} at most?"
    if not click.confirm(question, default=False, err=True):
        session.note("Nothing was run and nothing charged.")
        return False
    options["quote_id"] = offer.quote_id
    session.max_cost = min(session.max_cost or Decimal(offer.maximum_usd), Decimal(offer.maximum_usd))
    return True


def shown(offer: "Quote") -> str:
    """A table of the routes, and what the quote promises."""
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
