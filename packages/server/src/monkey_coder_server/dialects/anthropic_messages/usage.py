"""Anthropic's usage: cached tokens stand beside `input_tokens`, not inside; stream reports are merged."""

from collections.abc import Mapping

import msgspec

from monkey_coder_server.dialects.wire import as_count, as_object
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.pricing import FEE_OF_UNIT
from monkey_coder_server.domain.usage import ReportedUsage, Usage


def merge_usage(known: dict[str, Json], news: Mapping[str, Json]) -> None:
    """Overlay a later report on an earlier one: a field the later leaves out or nulls keeps its value."""
    known |= {name: value for name, value in news.items() if value is not None}


def read_usage(usage: Mapping[str, Json]) -> ReportedUsage:
    """Read a `usage` object; numbers as they came."""
    written = as_object(usage.get("cache_creation"))
    details = as_object(usage.get("output_tokens_details"))
    return ReportedUsage(
        input_tokens=as_count(usage.get("input_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        cached_input_tokens=as_count(usage.get("cache_read_input_tokens")),
        cache_write_tokens=as_count(usage.get("cache_creation_input_tokens")),
        cache_write_1h_tokens=as_count(written.get("ephemeral_1h_input_tokens")),
        reasoning_tokens=as_count(details.get("thinking_tokens")),
        units=_units(as_object(usage.get("server_tool_use"))),
    )


def _units(counts: Mapping[str, Json]) -> dict[str, int]:
    read = ((name, as_count(value)) for name, value in counts.items())
    return {name: count for name, count in read if count}


def write_usage(usage: Usage, cost: int) -> dict[str, Json]:
    """A `usage` object, whoever answered; `cost` in nano-dollars is our own field, in USD."""
    written: dict[str, Json] = {
        "input_tokens": usage.uncached_input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    searches = sum(count for unit, count in usage.units.items() if FEE_OF_UNIT.get(unit) == "web_searches")
    fetches = usage.units.get("web_fetch_requests", 0)
    if searches or fetches:
        written["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": fetches}
    return written | {"cost": cost_in_usd(cost)}


def cost_in_usd(cost: int) -> msgspec.Raw:
    """Nano-dollars as a JSON number in USD, written from its exact digits."""
    return msgspec.Raw(usd(cost).encode())


def with_cost(usage: bytes, cost: int) -> msgspec.Raw:
    """A provider's own `usage` object with our cost added; its fields stay as they were written."""
    fields = _fields.decode(usage)
    fields["cost"] = cost_in_usd(cost)
    return msgspec.Raw(msgspec.json.encode(fields))


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
