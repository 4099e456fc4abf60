"""The `usage` object of each provider of this dialect: who counts reasoning where, and who names a cost."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import Any

from monkey_coder_server.sandbox.exchange import Usage
from monkey_coder_server.sandbox.served import Served

TICKS_PER_NANO = 10
"""xAI's `cost_in_usd_ticks`: 1 USD is 10^10 ticks."""
_NANO_USD = 1_000_000_000


def report(served: Served) -> dict[str, Any] | None:
    """The usage object this provider sends, None where it is withheld."""
    if served.reported is None:
        return None
    return _BUILDERS[served.ask.provider](served, served.reported)


def _openai(served: Served, usage: Usage) -> dict[str, Any]:
    details = {"cached_tokens": usage.cache_read, "audio_tokens": 0}
    if served.card.bills_cache_writes:
        details["cache_write_tokens"] = usage.cache_write_5m
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output + usage.reasoning,
        "total_tokens": usage.prompt + usage.output + usage.reasoning,
        "prompt_tokens_details": details,
        "completion_tokens_details": _completion_details(usage),
    }


def _completion_details(usage: Usage) -> dict[str, int]:
    return {
        "reasoning_tokens": usage.reasoning,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }


def _xai(served: Served, usage: Usage) -> dict[str, Any]:
    image = served.ask.media_tokens.get("IMAGE", 0)
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output + usage.reasoning,
        "prompt_tokens_details": {
            "text_tokens": usage.prompt - image,
            "audio_tokens": 0,
            "image_tokens": image,
            "cached_tokens": usage.cache_read,
        },
        "completion_tokens_details": _completion_details(usage),
        "num_sources_used": 0,
        "cost_in_usd_ticks": ceil(served.bill.exact * TICKS_PER_NANO),
    }


def _groq(served: Served, usage: Usage) -> dict[str, Any]:
    output = usage.output + usage.reasoning
    prompt_seconds, output_seconds = usage.prompt / 20_000, output / 500
    result: dict[str, Any] = {
        "queue_time": 0.005,
        "prompt_tokens": usage.prompt,
        "prompt_time": prompt_seconds,
        "completion_tokens": output,
        "completion_time": output_seconds,
        "total_tokens": usage.prompt + output,
        "total_time": prompt_seconds + output_seconds,
    }
    if usage.cache_read:
        result["prompt_tokens_details"] = {"cached_tokens": usage.cache_read}
    if served.card.reasons:
        result["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return result


def _moonshot(served: Served, usage: Usage) -> dict[str, Any]:
    output = usage.output + usage.reasoning
    result: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": output,
        "total_tokens": usage.prompt + output,
    }
    if usage.cache_read:
        result |= {"cached_tokens": usage.cache_read, "prompt_tokens_details": {"cached_tokens": usage.cache_read}}
    if served.card.reasons:
        result["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return result


def _usd(nanos: Fraction | int) -> float:
    return float(Fraction(nanos) / _NANO_USD)


def _perplexity(served: Served, usage: Usage) -> dict[str, Any]:
    return perplexity_tokens(served, usage.output) | {"cost": _perplexity_cost(served)}


def perplexity_tokens(served: Served, output: int) -> dict[str, Any]:
    """The running usage of a Perplexity stream, which names no cost before its last chunk."""
    usage = served.reported or served.usage
    result: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": output,
        "total_tokens": usage.prompt + output,
        "search_context_size": "low",
    }
    if usage.searches:
        result |= {
            "citation_tokens": usage.citation,
            "num_search_queries": usage.searches,
            "reasoning_tokens": usage.reasoning,
        }
    return result


def _perplexity_cost(served: Served) -> dict[str, float]:
    parts = served.bill.parts
    cost = {
        "input_tokens_cost": _usd(parts.get("input_mtok", 0)),
        "output_tokens_cost": _usd(parts.get("output_mtok", 0)),
    }
    if "requests_kcount" in parts:
        cost["request_cost"] = _usd(parts["requests_kcount"])
    if "web_searches_kcount" in parts:
        cost["citation_tokens_cost"] = _usd(parts.get("output_citation_mtok", 0))
        cost["reasoning_tokens_cost"] = _usd(parts.get("output_reasoning_mtok", 0))
        cost["search_queries_cost"] = _usd(parts["web_searches_kcount"])
    return cost | {"total_cost": _usd(served.bill.nanos)}


_BUILDERS: dict[str, Callable[[Served, Usage], dict[str, Any]]] = {
    "openai": _openai,
    "xai": _xai,
    "groq": _groq,
    "moonshot": _moonshot,
    "perplexity": _perplexity,
}
