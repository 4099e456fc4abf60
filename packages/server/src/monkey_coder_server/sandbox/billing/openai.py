"""OpenAI's `GET /v1/organization/costs`, as documented: daily buckets of line items, for admin keys only."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox.billing.ledger import Billed, billed, dollars
from monkey_coder_server.sandbox.world import World

DAY = 86_400
_PARAMETERS = frozenset({"start_time", "end_time", "bucket_width", "group_by", "group_by[]", "limit", "page"})
_LINES = {
    "input_mtok": ("{model}, input", "uncached"),
    "cache_read_mtok": ("{model}, cached input", "cache_read"),
    "cache_write_mtok": ("{model}, cache write", "cache_write_5m"),
    "cache_write_1h_mtok": ("{model}, cache write", "cache_write_1h"),
    "output_mtok": ("{model}, output", "output"),
    "output_reasoning_mtok": ("{model}, output", "reasoning"),
    "web_searches_kcount": ("web search tool calls", "searches"),
}


async def costs(request: web.Request, world: World) -> web.Response:
    """Costs by day, grouped by line item or not at all."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not key.startswith("sk-admin"):
        return _refused(401, "You have insufficient permissions for this operation. Missing scopes: api.usage.read.")
    try:
        start, end, limit, page = _asked(request)
    except ValueError as wrong:
        return _refused(400, str(wrong))
    grouped = "line_item" in [*request.query.getall("group_by", []), *request.query.getall("group_by[]", [])]
    first = start + timedelta(days=page)
    days = [first + timedelta(days=number) for number in range(limit) if first + timedelta(days=number) < end]
    more = bool(days) and days[-1] + timedelta(days=1) < end
    return web.json_response(
        {
            "object": "page",
            "data": [_bucket(world, day, grouped=grouped) for day in days],
            "has_more": more,
            "next_page": f"page_{page + len(days)}" if more else None,
        }
    )


def _asked(request: web.Request) -> tuple[date, date, int, int]:
    """Start, end, limit and the bucket to begin with. Raises `ValueError` in OpenAI's words."""
    query = request.query
    unknown = set(query) - _PARAMETERS
    if unknown:
        message = f"Unknown query parameter: '{min(unknown)}'."
        raise ValueError(message)
    if "start_time" not in query:
        raise ValueError("Missing required parameter: 'start_time'.")
    if query.get("bucket_width", "1d") != "1d":
        raise ValueError("Invalid value: 'bucket_width'. Supported values are: '1d'.")
    limit = int(query.get("limit", "7"))
    if not 1 <= limit <= 180:
        raise ValueError("Invalid 'limit': must be between 1 and 180.")
    start = datetime.fromtimestamp(int(query["start_time"]), UTC).date()
    end_time = int(query.get("end_time", str(int(datetime.now(UTC).timestamp()) + DAY)))
    end = datetime.fromtimestamp(end_time + DAY - 1, UTC).date()
    return start, end, limit, int(query.get("page", "page_0").removeprefix("page_"))


def _bucket(world: World, day: date, *, grouped: bool) -> dict[str, Any]:
    money: defaultdict[str | None, Fraction] = defaultdict(Fraction)
    counted: defaultdict[str | None, int] = defaultdict(int)
    for each in billed(world, "openai", day, day):
        for part, nano in each.parts.items():
            item, quantity = _item(each, part)
            place = item if grouped else None
            money[place] += nano
            counted[place] += quantity
    began = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    results = [_result(item, money[item], counted[item] if grouped else None) for item in money]
    return {"object": "bucket", "start_time": began, "end_time": began + DAY, "results": results}


def _item(each: Billed, part: str) -> tuple[str, int]:
    wording, bucket = _LINES[part]
    return wording.format(model=each.card.served_as), int(getattr(each.entry.usage, bucket))


def _result(item: str | None, nano: Fraction, quantity: int | None) -> dict[str, Any]:
    value = format(dollars(nano).quantize(Decimal(1).scaleb(-24)), "f")
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "quantity": quantity,
        "line_item": item,
        "project_id": None,
    }


def _refused(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)
