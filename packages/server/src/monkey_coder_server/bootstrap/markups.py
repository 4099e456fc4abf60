"""What the operator's commands about markups do, on the books of the configured gateway."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from monkey_coder_server.bootstrap.price_books import open_pricing
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import parse_percent, percent
from monkey_coder_server.features.pricing import markup_routes, markups
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.moments import read_moment
from monkey_coder_server.web.operating import COMMANDS

Pair = tuple[str | None, str | None]


async def list_all(settings: Settings, *, over: bool) -> dict[str, Any]:
    """The markups there are, the newest first, below the setting's; with `over` those of the past, too."""
    async with open_pricing(settings) as use:
        shown = [markup_routes.shown(each, use.clock.now()) for each in await markups.list_markups(use, COMMANDS)]
    kept = [msgspec.to_builtins(each) for each in shown if over or each.state != "over"]
    return {"default_basis_points": parse_percent(settings.markup_percent), "markups": kept}


def lines(found: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    head = f"{percent(found['default_basis_points']):>8}  on everything else (MARKUP_PERCENT)"
    return [head, *(_line(each) for each in found["markups"])]


async def put(
    settings: Settings, *, markup: str, what: tuple[str | None, str | None, str | None], span: Pair, reason: str
) -> Sequence[str]:
    """Set a markup on plan, provider and model from a start to an end; the line that says so. Raises `GatewayError`."""
    plan, provider, model = what
    wish = markups.MarkupWish(
        basis_points=_basis_points(markup),
        reason=reason,
        plan=plan,
        provider=provider,
        model=model,
        starts_at=read_moment("--from", span[0]),
        ends_at=read_moment("--until", span[1]),
    )
    async with open_pricing(settings) as use:
        made = await markups.set_markup(use, COMMANDS, wish)
        return [_line(msgspec.to_builtins(markup_routes.shown(made, use.clock.now())))]


async def end(settings: Settings, name: str, *, reason: str, ends: str | None) -> Sequence[str]:
    """End a markup; the line that says so. Raises `GatewayError`."""
    ends_at = read_moment("--at", ends)
    async with open_pricing(settings) as use:
        ended = await markups.end_markup(use, COMMANDS, name, reason=reason, ends_at=ends_at)
    until = "" if ended.ends_at is None else f" on {ended.ends_at:%Y-%m-%d %H:%M} UTC"
    return [f"{name} on {markups.subject_of(ended)} ends{until}"]


def _basis_points(text: str) -> int:
    try:
        return parse_percent(text)
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong


def _line(shown: Mapping[str, Any]) -> str:
    stated = [f"{what} {shown[what]}" for what in ("plan", "provider", "model") if shown[what] is not None]
    until = f" until {shown['ends_at'][:16]}" if shown["ends_at"] else ""
    return (
        f"{percent(shown['basis_points']):>8}  on {', '.join(stated) or 'everything'}; {shown['state']}, "
        f"from {shown['starts_at'][:16]}{until}; {shown['reason']}  {shown['markup_id']}"
    )
