"""`usage` and `balance`."""

from decimal import Decimal
from typing import Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import DAY, day, pass_session
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


@command("usage", examples=("monkey usage", "monkey usage --from 2026-11-01 --to 2026-11-30 --by monthly"))
@click.option("--from", "start", type=DAY, metavar="DAY", help="First day, as YYYY-MM-DD.")
@click.option("--to", "end", type=DAY, metavar="DAY", help="Last day, as YYYY-MM-DD.")
@click.option(
    "--by", "granularity", type=click.Choice(["hourly", "daily", "weekly", "monthly"]), help="Length of a period."
)
@pass_session
def usage(session: Session, start: Any, end: Any, granularity: str | None) -> None:
    """Show what you used."""
    with session.client() as client:
        report = client.usage(start=day(start), end=day(end), granularity=granularity)
    session.emit(report, text=lambda: _report(report))


def _report(report: dict[str, Any]) -> str:
    period = report.get("period")
    parts = [
        output.fields(
            [
                ("period", _period(period) if isinstance(period, dict) else period),
                ("requests", report.get("total_requests")),
                ("tokens", report.get("total_tokens")),
                ("cost", _cost(report, "total_cost")),
            ]
        )
    ]
    rows = [_provider_row(entry) for entry in report.get("provider_breakdown") or [] if isinstance(entry, dict)]
    if rows:
        parts.append(output.columns(("provider", "requests", "tokens", "cost"), rows))
    return "\n\n".join(part for part in parts if part) or "Nothing was used."


def _provider_row(entry: dict[str, Any]) -> tuple[object, ...]:
    return (
        entry.get("provider", "-"),
        entry.get("total_requests", 0),
        entry.get("total_tokens", 0),
        _cost(entry, "total_cost") or "-",
    )


def _period(period: dict[str, Any]) -> str:
    """The days; the gateway sends moments."""
    first, last = (str(period.get(name) or "")[:10] for name in ("start_date", "end_date"))
    return f"{first} to {last}"


def _cost(entry: dict[str, Any], name: str) -> str | None:
    """The exact decimal string where the gateway sends one, else its number."""
    value = entry.get(f"{name}_usd", entry.get(name))
    return output.usd(Decimal(str(value))) if isinstance(value, (str, int, Decimal)) else None
