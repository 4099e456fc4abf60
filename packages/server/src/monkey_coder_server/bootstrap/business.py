"""What the operator's command about business does, on the books of the configured gateway."""

import csv
import io
from typing import Any

import msgspec

from monkey_coder_server.bootstrap.price_books import open_pricing
from monkey_coder_server.features.pricing.business import business_of, read_by, read_days
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS

_COLUMNS = (
    "name",
    "requests",
    "failed",
    "revenue_usd",
    "provider_cost_usd",
    "margin_usd",
    "margin_percent",
    "estimated",
    "cache_savings_usd",
)


async def report(settings: Settings, *, start: str | None, end: str | None, by: str | None) -> dict[str, Any]:
    """How business went. Raises `GatewayError`."""
    async with open_pricing(settings) as use:
        first, last = read_days(start, end, use.clock.now().date())
        found = await business_of(use, COMMANDS, first, last, read_by(by))
    shown: dict[str, Any] = msgspec.to_builtins(found)
    return shown


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people, amounts in USD."""
    total, losses = found["total"], found["losses_usd"]
    return [
        f"{found['start']} to {found['end']} by {found['by']}; USD",
        f"{'':44} {'requests':>9} {'failed':>7} {'revenue':>16} {'cost':>16} {'margin':>16} {'%':>7}",
        *(_line(each) for each in (*found["lines"], {**total, "name": "total"})),
        _credit(found),
        "losses: " + ", ".join(f"{cause.replace('_', ' ')} {amount}" for cause, amount in losses.items()),
        f"saved by caches: {total['cache_savings_usd']}; estimated requests: {total['estimated']}",
        f"unexplained: revenue {found['unexplained_revenue_usd']}, cost {found['unexplained_cost_usd']}",
        *(
            f"invoice of {each['provider']}, {each['first_day']} to {each['last_day']} ({each['source']}): booked "
            f"{each['booked_usd']}, invoiced {each['invoiced_usd']}, unexplained {each['unexplained_usd']}"
            for each in found["invoices"]
        ),
    ]


def table(found: dict[str, Any]) -> list[str]:
    """The lines as CSV."""
    written = io.StringIO()
    writer = csv.DictWriter(written, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found["lines"])
    return written.getvalue().splitlines()


def _credit(found: dict[str, Any]) -> str:
    return (
        f"refunded {found['refunded_usd']}; promotions given {found['promotions_given_usd']}, of which used "
        f"{found['promotions_used_usd']}; breakage {found['breakage_usd']}"
    )


def _line(each: dict[str, Any]) -> str:
    return (
        f"{each['name']:44} {each['requests']:>9} {each['failed']:>7} {each['revenue_usd']:>16} "
        f"{each['provider_cost_usd']:>16} {each['margin_usd']:>16} {each['margin_percent'] or '-':>7}"
    )
