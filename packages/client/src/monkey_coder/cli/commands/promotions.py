"""`billing redeem` and `billing promotions`: credit that a code gives."""

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session
from monkey_coder_protocol.promotions import Redeemed, RedeemedPromotions


@command("redeem", examples=("monkey billing redeem SPRING-2026",))
@click.argument("code", metavar="CODE")
@pass_session
def redeem(session: Session, code: str) -> None:
    """Get the credit of a promotion's code, once an account."""
    with session.client() as client:
        given = client.payments.redeem(code)
    session.emit(given, text=lambda: _given(given))


@command("promotions", examples=("monkey billing promotions", "monkey billing promotions --json"))
@pass_session
def promotions(session: Session) -> None:
    """Show what you redeemed, and what is left of it."""
    with session.client() as client:
        found = client.payments.promotions()
    session.emit(found, text=lambda: _table(found))


def _given(given: Redeemed) -> str:
    return (
        f"{given.campaign}: {output.usd(given.amount_usd)} until {given.expires_at[:10]}; "
        f"your balance is {output.usd(given.balance_usd)}."
    )


def _table(found: RedeemedPromotions) -> str:
    if not found.promotions:
        return "Nothing was redeemed yet. `monkey billing redeem CODE` redeems a code."
    rows = [
        (
            each.redeemed_at[:10],
            each.campaign,
            output.usd(each.amount_usd),
            output.usd(each.left_usd),
            each.expires_at[:10],
        )
        for each in found.promotions
    ]
    return output.columns(("redeemed", "promotion", "amount", "left", "until"), rows)
