"""`billing`: buy credit, give it back, the saved card, automatic top-up, how long credit lasts; codes and alerts."""

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import hosted_pages, output
from monkey_coder.cli.command import command
from monkey_coder.cli.commands.alerting import alerts, webhooks
from monkey_coder.cli.commands.promotions import promotions, redeem
from monkey_coder.cli.group import group
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder_protocol.buying import PaymentList, RefundList, TopUp

_ALL = "all"
_no_browser = click.option("--no-browser", is_flag=True, help="Only print the address.")
_wait = click.option("--wait", is_flag=True, help="Wait until it is paid and the credit is there.")
_save_card = click.option("--save-card", is_flag=True, help="Let automatic top-up charge the card later.")


class _AmountOrAll(click.ParamType[Decimal | str]):
    name = "usd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal | str:
        return _ALL if value == _ALL else AMOUNT.convert(value, param, ctx)


@command(
    "checkout",
    examples=("monkey billing checkout --amount 25 --wait", "monkey billing checkout --save-card"),
)
@click.option("--amount", type=AMOUNT, metavar="USD", help="Buy so much credit.")
@click.option("--plan", metavar="PLAN", help="Buy a plan.")
@_save_card
@_no_browser
@_wait
@pass_session
def checkout(  # noqa: PLR0913 - each is an option
    session: Session, amount: Decimal | None, plan: str | None, *, save_card: bool, no_browser: bool, wait: bool
) -> None:
    """Open a page to buy credit or a plan on, or only to save a card."""
    if amount is not None and plan is not None:
        message = "Say --amount or --plan, not both."
        raise click.UsageError(message)
    if amount is None and plan is None and not save_card:
        message = "Say --amount USD, --plan PLAN or --save-card."
        raise click.UsageError(message)
    if wait and amount is None:
        message = "--wait waits for credit: say --amount USD with it."
        raise click.UsageError(message)
    _buy(session, amount, plan, save_card=save_card, browser=not no_browser, wait=wait)


@command("credits", examples=("monkey billing credits 25", "monkey billing credits 25 --no-browser --json"))
@click.argument("amount", type=AMOUNT, metavar="USD")
@_save_card
@_no_browser
@_wait
@pass_session
def credits_(session: Session, amount: Decimal, *, save_card: bool, no_browser: bool, wait: bool) -> None:
    """Buy credit on a page that opens in your browser."""
    _buy(session, amount, None, save_card=save_card, browser=not no_browser, wait=wait)


@command("portal", examples=("monkey billing portal", "monkey billing portal --no-browser"))
@_no_browser
@pass_session
def portal(session: Session, *, no_browser: bool) -> None:
    """Open the page with your invoices and cards."""
    with session.client() as client:
        page = client.payments.portal()
    session.emit(page, text=lambda: page.portal_url)
    hosted_pages.send_to(session, page.portal_url, browser=not no_browser)


@command("payments", examples=("monkey billing payments", "monkey billing payments --json | jq -r .refundable_usd"))
@pass_session
def payments(session: Session) -> None:
    """Show what you paid, and what can be given back of it."""
    with session.client() as client:
        found = page = client.payments.list()
        while page.next:
            page = client.payments.list(after=page.next)
            found.payments += page.payments
        found.count, found.next = len(found.payments), None
    session.emit(found, text=lambda: _payments(found))


@command("refund", examples=("monkey billing refund 10", "monkey billing refund all --reason 'not needed'"))
@click.argument("amount", type=_AmountOrAll(), metavar="USD|all")
@click.option("--reason", default="", metavar="TEXT", help="Why, in one line.")
@pass_session
def refund(session: Session, amount: Decimal | str, reason: str) -> None:
    """Give back credit that you bought and did not use."""
    with session.client() as client:
        ordered = client.payments.refund(amount, reason=reason)
    session.emit(ordered, text=lambda: _refunds(ordered))


@command("refunds", examples=("monkey billing refunds",))
@pass_session
def refunds(session: Session) -> None:
    """Show what was given back, or is on its way."""
    with session.client() as client:
        found = page = client.payments.refunds()
        while page.next:
            page = client.payments.refunds(after=page.next)
            found.refunds += page.refunds
        found.count, found.next = len(found.refunds), None
    session.emit(found, text=lambda: _refunds(found))


@command("card", examples=("monkey billing card", "monkey billing card --remove"))
@click.option("--remove", is_flag=True, help="Forget it; automatic top-up ends with it.")
@pass_session
def card(session: Session, *, remove: bool) -> None:
    """Show the saved card; `billing checkout --save-card` saves one."""
    with session.client() as client:
        if remove:
            gone = client.payments.remove_card()
            session.emit(gone, text=lambda: gone.message)
            return
        saved = client.payments.card()
    pairs = [("brand", saved.brand), ("last four digits", saved.last_four), ("expires", saved.expires)]
    session.emit(saved, text=lambda: output.fields(pairs))


@command(
    "top-up",
    examples=(
        "monkey billing top-up --below 5 --amount 25 --monthly-maximum 100",
        "monkey billing top-up",
        "monkey billing top-up --off",
    ),
)
@click.option("--below", type=AMOUNT, metavar="USD", help="Buy when the balance is below this.")
@click.option("--amount", type=AMOUNT, metavar="USD", help="Buy so much each time.")
@click.option("--monthly-maximum", type=AMOUNT, metavar="USD", help="Never buy more in a month.")
@click.option("--off", is_flag=True, help="Buy nothing automatically any more.")
@pass_session
def top_up(
    session: Session, below: Decimal | None, amount: Decimal | None, monthly_maximum: Decimal | None, *, off: bool
) -> None:
    """Show or set what is bought when your balance falls."""
    given = [each for each in (below, amount, monthly_maximum) if each is not None]
    if off and given:
        message = "Say --off or amounts, not both."
        raise click.UsageError(message)
    with session.client() as client:
        if off:
            ended = client.payments.remove_top_up()
            session.emit(ended, text=lambda: ended.message)
            return
        if below is not None and amount is not None and monthly_maximum is not None:
            shown = client.payments.set_top_up(
                threshold_usd=below, amount_usd=amount, monthly_maximum_usd=monthly_maximum
            )
        elif given:
            message = "Say --below, --amount and --monthly-maximum together."
            raise click.UsageError(message)
        else:
            shown = client.payments.top_up()
    session.emit(shown, text=lambda: _top_up(shown))


def _buy(  # noqa: PLR0913 - what is bought, and how it is shown
    session: Session, amount: Decimal | None, plan: str | None, *, save_card: bool, browser: bool, wait: bool
) -> None:
    with session.client() as client:
        page = client.payments.checkout(amount, plan=plan, save_card=save_card)
        hosted_pages.send_to(session, page.checkout_url, browser=browser)
        if not wait:
            session.emit(page, text=lambda: page.checkout_url)
            return
        paid = hosted_pages.wait_for(session, client, page.session_id, page.checkout_url)
        wallet = client.balance()
    document = {"payment": paid, "balance_usd": wallet.balance_usd}
    session.emit(
        document, text=lambda: f"Paid {output.usd(paid.amount_usd)}; your balance is {output.usd(wallet.balance_usd)}."
    )


def _payments(found: "PaymentList") -> str:
    if not found.payments:
        return "Nothing was paid yet. `monkey billing credits 25` buys credit."
    rows = [
        (
            _moment(each.at),
            each.purpose.replace("_", " "),
            f"{each.state.replace('_', ' ')}{f' ({each.failure})' if each.failure else ''}",
            output.usd(each.amount_usd),
            output.usd(each.refunded_usd),
            output.usd(each.refundable_usd),
        )
        for each in found.payments
    ]
    return output.columns(("when", "for", "state", "paid", "given back", "can be given back"), rows)


def _refunds(found: "RefundList") -> str:
    if not found.refunds:
        return "Nothing was given back."
    rows = [
        (_moment(each.ordered_at), each.refund_id, each.state, output.usd(each.amount_usd), each.reason or "-")
        for each in found.refunds
    ]
    return output.columns(("when", "refund", "state", "amount", "reason"), rows)


def _top_up(shown: "TopUp") -> str:
    return output.fields(
        [
            ("automatic top-up", shown.state),
            ("below", output.usd(shown.threshold_usd)),
            ("buys", output.usd(shown.amount_usd)),
            ("at most a month", output.usd(shown.monthly_maximum_usd)),
            ("charged this month", output.usd(shown.charged_this_month_usd)),
            ("failed in a row", shown.failures_in_a_row or None),
            ("last failure", shown.last_failure),
        ]
    )


def _moment(at: str) -> str:
    return at[:16].replace("T", " ")


@command("forecast", examples=("monkey billing forecast", "monkey billing forecast --json | jq .runs_out"))
@pass_session
def forecast(session: Session) -> None:
    """Say how long your credit lasts, and what the month will come to."""
    from monkey_coder.cli.forecast_told import told  # noqa: PLC0415  # only this command needs it

    with session.client() as client:
        found = client.usage.forecast()
    session.emit(found, text=lambda: told(found))


billing = group(
    "billing",
    "Buy credit and give it back; the saved card, automatic top-up; codes, alerts, and how long credit lasts.",
    checkout,
    credits_,
    portal,
    payments,
    refund,
    refunds,
    card,
    top_up,
    redeem,
    promotions,
    alerts,
    webhooks,
    forecast,
)
