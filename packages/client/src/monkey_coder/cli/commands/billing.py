"""`balance`."""

from decimal import Decimal

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session


@command("balance", examples=("monkey balance", "monkey balance --json | jq -r .available_usd"))
@pass_session
def balance(session: Session) -> None:
    """Show what is left."""
    with session.client() as client:
        wallet = client.balance()
    pairs = [
        ("balance", output.usd(wallet.balance_usd)),
        ("held by open requests", output.usd(wallet.held_usd)),
        ("available", output.usd(wallet.available_usd)),
        ("spent today", output.usd(wallet.spent_today_usd)),
        ("spent this month", output.usd(wallet.spent_month_usd)),
        *([("debt", output.usd(wallet.debt_usd))] if Decimal(wallet.debt_usd) else []),
        *([("frozen", wallet.frozen.replace("_", " "))] if wallet.frozen is not None else []),
        ("add credit at", wallet.top_up_url),
    ]
    session.emit(wallet, text=lambda: output.fields(pairs))
