"""Promotions composed, and what the operator's commands about them do on the books of the configured gateway."""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.domain.money import asked_usd
from monkey_coder_server.features.billing import promotions
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.moments import read_moment
from monkey_coder_server.web.operating import COMMANDS

_GONE = {"over", "used up"}


def promotions_of(books: Books) -> promotions.Dependencies:
    """What promotions need, from the stores."""
    storage = books.storage
    return promotions.Dependencies(
        promotions=storage.promotions,
        ledger=storage.ledger,
        plans=storage.plans,
        tries=storage.tries,
        audit=storage.audit,
        clock=books.clock,
        ids=books.ids,
        random_bytes=secrets.token_bytes,
    )


async def list_all(settings: Settings, *, gone: bool) -> list[dict[str, Any]]:
    """The promotions there are, the newest first; with `gone` those nobody can redeem any more, too."""
    async with open_books(settings) as books:
        use = promotions_of(books)
        now = use.clock.now()
        shown = [promotions.shown_promotion(each, now) for each in await promotions.list_promotions(use, COMMANDS)]
    return [msgspec.to_builtins(each) for each in shown if gone or each.state not in _GONE]


def lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same for people."""
    return [_line(each) for each in found] or ["there are no promotions"]


async def put(settings: Settings, options: argparse.Namespace) -> Sequence[str]:
    """Make a promotion; the line that says so. Raises `GatewayError`."""
    wish = promotions.PromotionWish(
        campaign=options.campaign,
        amount=asked_usd("--usd", options.usd) or 0,
        lasts_days=options.days,
        reason=options.reason,
        code=options.code,
        starts_at=read_moment("--from", options.starts),
        ends_at=read_moment("--until", options.ends),
        most=options.most,
        new_within_days=options.new_within,
        plans=options.plans or (),
    )
    async with open_books(settings) as books:
        use = promotions_of(books)
        made = await promotions.add_promotion(use, COMMANDS, wish)
        return [_line(msgspec.to_builtins(promotions.shown_promotion(made, use.clock.now())))]


async def end(settings: Settings, promotion_id: str, *, reason: str, ends: str | None) -> Sequence[str]:
    """End a promotion; the line that says so. Raises `GatewayError`."""
    ends_at = read_moment("--at", ends)
    async with open_books(settings) as books:
        use = promotions_of(books)
        ended = await promotions.end_promotion(use, COMMANDS, promotion_id, reason=reason, ends_at=ends_at)
        return [_line(msgspec.to_builtins(promotions.shown_promotion(ended, use.clock.now())))]


def _line(shown: Mapping[str, Any]) -> str:
    until = f" until {shown['ends_at'][:16]}" if shown["ends_at"] else ""
    most = "" if shown["maximum"] is None else f" of {shown['maximum']}"
    bounds = [
        *([f"accounts opened in the last {shown['new_within_days']} days"] if shown["new_within_days"] else []),
        *([f"plans {', '.join(shown['plans'])}"] if shown["plans"] else []),
    ]
    told = [
        f"{shown['amount_usd']} USD for {shown['lasts_days']} days",
        f"{shown['state']}, from {shown['starts_at'][:16]}{until}",
        f"redeemed {shown['redeemed']}{most}",
        *bounds,
        f"{shown['campaign']}  {shown['promotion_id']}",
    ]
    return f"{shown['code']}  {'; '.join(told)}"
