"""`billing alerts` and `billing webhooks`: be told when a figure crosses a line, by mail and by program."""

from decimal import Decimal
from typing import TYPE_CHECKING, get_args

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.group import group
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.session import Session
from monkey_coder_protocol.alerts import Kind

if TYPE_CHECKING:
    from monkey_coder_protocol.alerts import Alert, AlertList, DeliveryList, WebhookList, WebhookSecret

_KIND = click.Choice(get_args(Kind))
_alert = click.argument("alert_id", metavar="ALERT")
_webhook = click.argument("webhook_id", metavar="WEBHOOK")


@command("list", examples=("monkey billing alerts list",))
@pass_session
def list_alerts(session: Session) -> None:
    """Show your alerts, and which of them are crossed now."""
    with session.client() as client:
        found = client.alerts.list()
    session.emit(found, text=lambda: _alerts(found))


@command(
    "set",
    examples=(
        "monkey billing alerts set balance.below --amount 5",
        "monkey billing alerts set limit.share --percent 80",
        "monkey billing alerts set account.frozen --no-mail",
    ),
)
@click.argument("kind", type=_KIND)
@click.option("--amount", type=AMOUNT, metavar="USD", help="The line for balance.below, spent.day, spent.month.")
@click.option("--percent", type=click.IntRange(1, 100), help="The part of a spending limit for limit.share.")
@click.option("--no-mail", is_flag=True, help="Tell webhooks only.")
@pass_session
def set_alert(session: Session, kind: Kind, amount: Decimal | None, percent: int | None, *, no_mail: bool) -> None:
    """Be told of something, once each time it comes about."""
    with session.client() as client:
        made = client.alerts.set(kind, amount_usd=amount, percent=percent, mail=not no_mail)
    session.emit(made, text=f"{made.alert_id}: {made.kind} {_line(made)}".rstrip)


@command("remove", examples=("monkey billing alerts remove alert_01",))
@_alert
@pass_session
def remove_alert(session: Session, alert_id: str) -> None:
    """Be told of it no more."""
    with session.client() as client:
        gone = client.alerts.remove(alert_id)
    session.emit(gone, text=lambda: gone.message)


@command("deliveries", examples=("monkey billing alerts deliveries",))
@pass_session
def told_deliveries(session: Session) -> None:
    """Show what was told lately, and whether it arrived."""
    with session.client() as client:
        found = client.alerts.deliveries()
    session.emit(found, text=lambda: _deliveries(found))


@command("list", examples=("monkey billing webhooks list",))
@pass_session
def list_webhooks(session: Session) -> None:
    """Show where your alerts are posted to."""
    with session.client() as client:
        found = client.webhooks.list()
    session.emit(found, text=lambda: _webhooks(found))


@command(
    "add",
    examples=(
        "monkey billing webhooks add https://example.com/hook",
        "monkey billing webhooks add https://example.com/hook --kind balance.below --kind account.frozen",
    ),
)
@click.argument("url")
@click.option("--kind", "kinds", type=_KIND, multiple=True, help="Only this kind; may be repeated.")
@pass_session
def add_webhook(session: Session, url: str, kinds: tuple[Kind, ...]) -> None:
    """Post alerts to an address; the secret that proves them is shown only now."""
    with session.client() as client:
        made = client.webhooks.add(url, kinds=kinds)
    session.emit(made, text=lambda: _secret(made))


@command("remove", examples=("monkey billing webhooks remove wh_01",))
@_webhook
@pass_session
def remove_webhook(session: Session, webhook_id: str) -> None:
    """Post nothing there any more."""
    with session.client() as client:
        gone = client.webhooks.remove(webhook_id)
    session.emit(gone, text=lambda: gone.message)


@command("rotate", examples=("monkey billing webhooks rotate wh_01",))
@_webhook
@pass_session
def rotate_webhook(session: Session, webhook_id: str) -> None:
    """Make a new secret; the one before goes on signing for a day."""
    with session.client() as client:
        made = client.webhooks.rotate(webhook_id)
    session.emit(made, text=lambda: _secret(made))


@command("test", examples=("monkey billing webhooks test wh_01",))
@_webhook
@pass_session
def try_webhook(session: Session, webhook_id: str) -> None:
    """Post a test event there."""
    with session.client() as client:
        sent = client.webhooks.test(webhook_id)
    session.emit(sent, text=lambda: sent.message)


@command("deliveries", examples=("monkey billing webhooks deliveries wh_01",))
@_webhook
@pass_session
def webhook_deliveries(session: Session, webhook_id: str) -> None:
    """Show what was posted there lately, and whether it was taken."""
    with session.client() as client:
        found = client.webhooks.deliveries(webhook_id)
    session.emit(found, text=lambda: _deliveries(found))


def _alerts(found: "AlertList") -> str:
    rows = [
        (each.alert_id, each.kind, _line(each) or "-", "yes" if each.mail else "no", "yes" if each.crossed else "no")
        for each in found.alerts
    ]
    if not rows:
        return "No alert is set. `monkey billing alerts set balance.below --amount 5` sets one."
    return output.columns(("alert", "kind", "line", "mail", "crossed"), rows)


def _line(alert: "Alert") -> str:
    return output.usd(alert.amount_usd) if alert.amount_usd else f"{alert.percent}%" if alert.percent else ""


def _webhooks(found: "WebhookList") -> str:
    rows = [(each.webhook_id, each.url, " ".join(each.kinds) or "all") for each in found.webhooks]
    if not rows:
        return "There is no webhook. `monkey billing webhooks add URL` adds one."
    return output.columns(("webhook", "address", "kinds"), rows)


def _secret(made: "WebhookSecret") -> str:
    return output.fields(
        [
            ("webhook", made.webhook_id),
            ("address", made.url),
            ("secret, shown only now", made.secret),
            ("the one before signs until", made.former_secret_until),
        ]
    )


def _deliveries(found: "DeliveryList") -> str:
    rows = [
        (each.at[:16].replace("T", " "), each.kind, each.channel, each.state, each.tries, each.note or "-")
        for each in found.deliveries
    ]
    if not rows:
        return "Nothing was told yet."
    return output.columns(("when", "event", "by", "state", "tries", "last failure"), rows)


alerts = group(
    "alerts",
    "Be told when the balance falls, spending rises or a limit nears.",
    list_alerts,
    set_alert,
    remove_alert,
    told_deliveries,
)
webhooks = group(
    "webhooks",
    "Have alerts posted to a program of yours.",
    list_webhooks,
    add_webhook,
    remove_webhook,
    rotate_webhook,
    try_webhook,
    webhook_deliveries,
)
