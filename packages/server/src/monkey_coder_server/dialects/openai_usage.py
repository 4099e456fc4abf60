"""The usage object of chat completions and embeddings, with the places and names each provider gives its numbers."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, cast

import msgspec

from monkey_coder_server.dialects.wire import as_count, as_object
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.money import LARGEST_USD, ceil_div
from monkey_coder_server.domain.usage import ReportedUsage

XAI_TICKS_PER_NANO = 10
"""xAI's `cost_in_usd_ticks`: 1 USD is 10^10 ticks (docs.x.ai, cost tracking)."""

_THOUSANDTH_OF_A_NANO = Decimal("1e-12")
_UNITS = ("num_search_queries", "num_sources_used", "citation_tokens")
"""What Perplexity and xAI bill by the piece beside tokens, by their own names."""

# Numbers with a fraction keep every digit they were written with: money never passes through a binary float.
_decoder = msgspec.json.Decoder(float_hook=Decimal)

_Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Part(msgspec.Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    reasoning_tokens: _Count = None


class _Plain(msgspec.Struct, gc=False):
    """The usual shape: token counts only."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _Part | None = None
    completion_tokens_details: _Part | None = None
    cached_tokens: _Count = None
    reasoning_tokens: _Count = None


_BESIDE_TOKENS = [(name, None, None) for name in (*_UNITS, "cost", "cost_in_usd_ticks")]
"""Fields that must be absent: what is billed beside tokens is left to the thorough reading."""
_plain = msgspec.json.Decoder(
    cast("type[_Plain]", msgspec.defstruct("_Only", _BESIDE_TOKENS, bases=(_Plain,), gc=False))
)
_NO_PART = _Part()


def read_usage(raw: msgspec.Raw) -> ReportedUsage | None:
    """The provider's numbers as they stand; None when there is no usage object."""
    if not raw:
        return None
    try:
        usage = _plain.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _read_thoroughly(raw)
    inputs, outputs = usage.prompt_tokens_details or _NO_PART, usage.completion_tokens_details or _NO_PART
    cached, reasoning = inputs.cached_tokens, outputs.reasoning_tokens
    return ReportedUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        cached_input_tokens=usage.cached_tokens if cached is None else cached,
        cache_write_tokens=inputs.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens if reasoning is None else reasoning,
    )


def _read_thoroughly(raw: msgspec.Raw) -> ReportedUsage | None:
    """Piece by piece: what has an unexpected type counts as absent."""
    try:
        usage = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError, InvalidOperation):
        return None
    if not isinstance(usage, dict):
        return None
    inputs, outputs = as_object(usage.get("prompt_tokens_details")), as_object(usage.get("completion_tokens_details"))
    units = {name: count for name in _UNITS if (count := as_count(usage.get(name)))}
    return ReportedUsage(
        input_tokens=as_count(usage.get("prompt_tokens")),
        output_tokens=as_count(usage.get("completion_tokens")),
        total_tokens=as_count(usage.get("total_tokens")),
        cached_input_tokens=_first(inputs.get("cached_tokens"), usage.get("cached_tokens")),
        cache_write_tokens=as_count(inputs.get("cache_write_tokens")),
        reasoning_tokens=_first(outputs.get("reasoning_tokens"), usage.get("reasoning_tokens")),
        cost_nano=_cost_nano(usage),
        units=units,
    )


def _first(*values: Json) -> int | None:
    return next((count for value in values if (count := as_count(value)) is not None), None)


def _cost_nano(usage: dict[str, Json]) -> int | None:
    """The provider's own charge, rounded up to a nano-dollar: Perplexity's `cost.total_cost` or xAI's ticks."""
    ticks = as_count(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ceil_div(ticks, XAI_TICKS_PER_NANO)
    total = as_object(usage.get("cost")).get("total_cost")
    if isinstance(total, bool) or not isinstance(total, int | Decimal):
        return None
    if not 0 <= total < LARGEST_USD:
        return None
    # Providers add up binary floats: the noise beyond a thousandth of a nano-dollar is theirs, not a price.
    exact = Decimal(total).quantize(_THOUSANDTH_OF_A_NANO, ROUND_HALF_EVEN)
    return ceil_div(int(exact.scaleb(12)), 1_000)
