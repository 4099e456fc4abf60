"""The usage object of an answer. Its output counts reasoning, at OpenAI and at xAI alike.

Web searches are billed by the piece: newer answers of OpenAI's count them beside the usage, for older ones the searches
among the items are counted (developers.openai.com, web search: opening a page is not charged for).
"""

from monkey_coder_server.dialects.openai_usage import XAI_TICKS_PER_NANO
from monkey_coder_server.dialects.wire import as_count, as_object, as_text
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.money import ceil_div
from monkey_coder_server.domain.usage import ReportedUsage

WEB_SEARCHES = "web_search_calls"


def read_usage(response: dict[str, Json], *, searches: int) -> ReportedUsage | None:
    """The provider's numbers as they stand; `searches` were seen among the items. None without a usage object."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return None
    counted = as_count(as_object(as_object(response.get("tool_usage")).get("web_search")).get("num_requests"))
    searches = searches if counted is None else counted
    inputs, outputs = as_object(usage.get("input_tokens_details")), as_object(usage.get("output_tokens_details"))
    ticks = as_count(usage.get("cost_in_usd_ticks"))
    return ReportedUsage(
        input_tokens=as_count(usage.get("input_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        total_tokens=as_count(usage.get("total_tokens")),
        cached_input_tokens=as_count(inputs.get("cached_tokens")),
        cache_write_tokens=as_count(inputs.get("cache_write_tokens")),
        reasoning_tokens=as_count(outputs.get("reasoning_tokens")),
        cost_nano=None if ticks is None else ceil_div(ticks, XAI_TICKS_PER_NANO),
        units={WEB_SEARCHES: searches} if searches else {},
    )


def is_search(item: dict[str, Json]) -> bool:
    """Whether an item of an answer is a web search that is charged for."""
    if item.get("type") != "web_search_call":
        return False
    action = as_text(as_object(item.get("action")).get("type"))
    return action is None or action == "search"
