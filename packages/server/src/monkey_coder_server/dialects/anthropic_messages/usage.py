"""Anthropic's usage: cached tokens stand beside `input_tokens`, not inside; stream reports are merged."""

from collections.abc import Mapping

from monkey_coder_server.dialects.wire import as_count, as_object
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.usage import ReportedUsage


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
