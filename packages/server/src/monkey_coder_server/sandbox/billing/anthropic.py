"""Anthropic's usage and cost reports, as documented: daily buckets, for admin keys only; money in cents, as text."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox.billing.ledger import billed, dollars
from monkey_coder_server.sandbox.exchange import Usage
from monkey_coder_server.sandbox.world import World

_PARAMETERS = frozenset({"starting_at", "ending_at", "bucket_width", "group_by[]", "limit", "page"})
_TOKEN_TYPES = {
    "input_mtok": "uncached_input_tokens",
    "cache_read_mtok": "cache_read_input_tokens",
    "cache_write_mtok": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h_mtok": "cache_creation.ephemeral_1h_input_tokens",
    "output_mtok": "output_tokens",
    "output_reasoning_mtok": "output_tokens",
}
_GROUPS = {"usage": frozenset({"model", "workspace_id"}), "cost": frozenset({"description", "workspace_id"})}
_Item = tuple[str | None, str | None]


async def report(request: web.Request, world: World, which: str) -> web.Response:
    """`usage_report/messages` (`which` is `usage`) or `cost_report` (`cost`)."""
    if not request.headers.get("x-api-key", "").startswith("sk-ant-admin"):
        return _refused(401, "authentication_error", "invalid x-api-key")
    if "anthropic-version" not in request.headers:
        return _refused(400, "invalid_request_error", "anthropic-version: header is required")
    try:
        start, end, limit, page = _asked(request, _GROUPS[which])
    except ValueError as wrong:
        return _refused(400, "invalid_request_error", str(wrong))
    groups = request.query.getall("group_by[]", [])
    results = _usage if which == "usage" else _costs
    first = start + timedelta(days=page)
    days = [first + timedelta(days=number) for number in range(limit) if first + timedelta(days=number) < end]
    more = bool(days) and days[-1] + timedelta(days=1) < end
    data = [
        {
            "starting_at": f"{day.isoformat()}T00:00:00Z",
            "ending_at": f"{(day + timedelta(days=1)).isoformat()}T00:00:00Z",
            "results": results(world, day, grouped=bool(set(groups) - {"workspace_id"})),
        }
        for day in days
    ]
    return web.json_response(
        {"data": data, "has_more": more, "next_page": f"page_{page + len(days)}" if more else None}
    )


def _asked(request: web.Request, groups: frozenset[str]) -> tuple[date, date, int, int]:
    query = request.query
    unknown = set(query) - _PARAMETERS
    if unknown:
        message = f"{min(unknown)}: Extra inputs are not permitted"
        raise ValueError(message)
    if "starting_at" not in query:
        raise ValueError("starting_at: Field required")
    if query.get("bucket_width", "1d") != "1d":
        raise ValueError("bucket_width: Input should be '1d'")
    if not set(query.getall("group_by[]", [])) <= groups:
        message = f"group_by: Input should be one of {', '.join(sorted(groups))}"
        raise ValueError(message)
    limit = int(query.get("limit", "7"))
    if not 1 <= limit <= 31:
        raise ValueError("limit: Input should be less than or equal to 31")
    start = datetime.fromisoformat(query["starting_at"]).date()
    end = datetime.fromisoformat(query["ending_at"]).date() if "ending_at" in query else datetime.now(UTC).date()
    return start, end, limit, int(query.get("page", "page_0").removeprefix("page_"))


def _usage(world: World, day: date, *, grouped: bool) -> list[dict[str, Any]]:
    sums: defaultdict[str | None, list[Usage]] = defaultdict(list)
    for each in billed(world, "anthropic", day, day):
        sums[each.entry.model if grouped else None].append(each.entry.usage)
    return [_used(model, several) for model, several in sums.items()]


def _used(model: str | None, several: list[Usage]) -> dict[str, Any]:
    return {
        "uncached_input_tokens": sum(used.uncached for used in several),
        "cache_creation": {
            "ephemeral_1h_input_tokens": sum(used.cache_write_1h for used in several),
            "ephemeral_5m_input_tokens": sum(used.cache_write_5m for used in several),
        },
        "cache_read_input_tokens": sum(used.cache_read for used in several),
        "output_tokens": sum(used.output + used.reasoning for used in several),
        "server_tool_use": {"web_search_requests": sum(used.searches for used in several)},
        "api_key_id": None,
        "workspace_id": None,
        "model": model,
        "service_tier": None,
        "context_window": None,
    }


def _costs(world: World, day: date, *, grouped: bool) -> list[dict[str, Any]]:
    money: defaultdict[_Item, Fraction] = defaultdict(Fraction)
    for each in billed(world, "anthropic", day, day):
        for part, nano in each.parts.items():
            token_type = _TOKEN_TYPES.get(part)
            item = (each.entry.model, token_type) if token_type else (None, None)
            money[item if grouped else (None, "")] += nano
    return [_cost(*item, money[item], grouped=grouped) for item in money]


def _cost(model: str | None, token_type: str | None, nano: Fraction, *, grouped: bool) -> dict[str, Any]:
    described = f"{model} Usage - {token_type}" if model else "Web Search Usage"
    return {
        "currency": "USD",
        "amount": format(dollars(nano) * 100, "f"),
        "workspace_id": None,
        "description": described if grouped else None,
        "cost_type": ("tokens" if model else "web_search") if grouped else None,
        "context_window": None,
        "model": model,
        "service_tier": "standard" if grouped and model else None,
        "token_type": token_type if grouped else None,
    }


def _refused(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": message}}, status=status)
