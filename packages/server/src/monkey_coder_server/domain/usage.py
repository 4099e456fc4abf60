"""Token usage: the provider's own numbers, and the one disjoint form everything is billed by."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from monkey_coder_server.domain.nothing import NOTHING

MOST_TOKENS = 1_000_000_000
"""A count above this is a provider's mistake, not a measurement."""
MOST_UNITS = 100_000
MOST_OWN_COST_NANO = 10_000 * 1_000_000_000
OUTPUT_BYTES_PER_TOKEN = 4

_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""

_LOOKED_AT = (
    "cached_input_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "tool_input_tokens",
)
"""In which order impossible ones are told."""
_OF_CACHES = 3
"""The first of these are of caches, which are compared before the others are told."""


class ReportedUsage(NamedTuple):
    """What a provider said, unreconciled; None where it said nothing. All counts are tokens.

    `cache_write_tokens` counts every cache write, `cache_write_1h_tokens` the part of it that lives an hour.
    `cost_nano` is the provider's own charge in nano-dollars where it sends one (Perplexity, xAI).
    `units` counts what is billed by the piece (web searches, requests), by the provider's own name.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    tool_input_tokens: int | None = None
    cost_nano: int | None = None
    units: Mapping[str, int] = NOTHING


class Usage(NamedTuple):
    """Disjoint buckets: every token is in exactly one. `reasoning` is a part of `output`, for display.

    `estimated` when any figure is not the provider's own; `doubts` names those that were missing or could not be true.
    """

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    units: Mapping[str, int] = NOTHING
    cost_nano: int | None = None
    estimated: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def input(self) -> int:
        """All prompt tokens, cached or not."""
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class UsageRule:
    """How a provider counts (counted over 6,572 recorded exchanges; docs/reference/usage.md).

    `cached_inside_input`: cached tokens are a subset of the input figure (all but Anthropic).
    `reasoning_inside_output`: reasoning is a subset of the output figure (not xAI chat, Gemini, Perplexity).
    `reasoning_inside_total`: the total counts it (not Perplexity, which prices deep research's thoughts apart).
    `own_cost_wins`: the provider's own cost figure is the bill (Perplexity).
    """

    cached_inside_input: bool = True
    reasoning_inside_output: bool = True
    reasoning_inside_total: bool = True
    own_cost_wins: bool = False


USAGE_RULES: Mapping[str, UsageRule] = MappingProxyType(
    {
        "openai": UsageRule(),
        "groq": UsageRule(),
        "moonshot": UsageRule(),
        "xai": UsageRule(reasoning_inside_output=False),
        "perplexity": UsageRule(reasoning_inside_output=False, reasoning_inside_total=False, own_cost_wins=True),
        "anthropic": UsageRule(cached_inside_input=False),
        "google": UsageRule(reasoning_inside_output=False),
    }
)
"""By provider, for the dialect it is spoken to in (xAI: chat; its Responses format counts like OpenAI)."""


def normalise(rule: UsageRule, reported: ReportedUsage) -> Usage:
    """The provider's numbers in disjoint buckets; never raises and never yields a negative count.

    Figures that are missing or cannot be true are left out or cut to what can be, and named in `doubts`.
    """
    doubts: list[str] = []
    figures = _possible(reported, doubts)
    read, writes = figures.cached_input_tokens or 0, figures.cache_write_tokens or 0
    hour = figures.cache_write_1h_tokens or 0
    if hour > writes:
        doubts.insert(sum(doubt in _LOOKED_AT[:_OF_CACHES] for doubt in doubts), "cache_write_1h_tokens")
        writes = hour
    reasoning = figures.reasoning_tokens or 0
    prompt, output = _sides(rule, figures, read + writes, doubts)
    if rule.cached_inside_input:
        prompt, read, writes, hour = _inside(prompt, read, writes, hour, doubts)
    if rule.reasoning_inside_output and reasoning > output:
        doubts.append("reasoning_tokens")
        reasoning = output
    elif not rule.reasoning_inside_output:
        output += reasoning
    uncached = prompt + (figures.tool_input_tokens or 0)
    total = figures.total_tokens
    apart = 0 if rule.reasoning_inside_total else reasoning
    if total is not None and total != uncached + read + writes + output - apart:
        doubts.append("total_tokens")
    units = _possible_units(reported.units, doubts) if reported.units else NOTHING
    cost = figures.cost_nano
    if cost is not None and not 0 <= cost <= MOST_OWN_COST_NANO:
        doubts.append("cost_nano")
        cost = None
    told = tuple(dict.fromkeys(doubts)) if doubts else ()
    return _new(Usage, (uncached, read, writes - hour, hour, output, reasoning, units, cost, bool(told), told))


def together(usages: Iterable[Usage]) -> Usage:
    """What several answers used. The sum has no charge of a provider's own: each was priced by itself."""
    each = list(usages)
    units: Counter[str] = Counter()
    for usage in each:
        units.update(usage.units)
    return Usage(
        uncached_input=sum(usage.uncached_input for usage in each),
        cache_read=sum(usage.cache_read for usage in each),
        cache_write_5m=sum(usage.cache_write_5m for usage in each),
        cache_write_1h=sum(usage.cache_write_1h for usage in each),
        output=sum(usage.output for usage in each),
        reasoning=sum(usage.reasoning for usage in each),
        units=MappingProxyType(dict(units)),
        estimated=any(usage.estimated for usage in each),
        doubts=tuple(dict.fromkeys(doubt for usage in each for doubt in usage.doubts)),
    )


def estimate(*, input_tokens: int, output_bytes: int, reasoning_bytes: int = 0) -> Usage:
    """Usage of an answer whose provider reported none.

    `input_tokens` is `prompt_tokens.expected_tokens(request)`; every four bytes of UTF-8 the model wrote count as a
    token, rounded up, which for English and code is within a fifth of what tokenizers say.
    """
    reasoning = -(-max(0, reasoning_bytes) // OUTPUT_BYTES_PER_TOKEN)
    answer = -(-max(0, output_bytes) // OUTPUT_BYTES_PER_TOKEN)
    return Usage(
        uncached_input=max(0, input_tokens),
        output=answer + reasoning,
        reasoning=reasoning,
        estimated=True,
        doubts=("usage",),
    )


def complete(usage: Usage, estimated: Usage) -> Usage:
    """`usage` with the estimate's figures where the provider's own were missing altogether.

    A count of reasoning alone, or of cached tokens alone, does not stand for the side it is a part of.
    """
    missing_input = "input_tokens" in usage.doubts and not usage.uncached_input
    missing_output = "output_tokens" in usage.doubts and usage.output <= usage.reasoning
    thought = max(usage.reasoning, estimated.reasoning)
    said = estimated.output - estimated.reasoning
    return Usage(
        uncached_input=max(0, estimated.input - usage.input) if missing_input else usage.uncached_input,
        cache_read=usage.cache_read,
        cache_write_5m=usage.cache_write_5m,
        cache_write_1h=usage.cache_write_1h,
        output=said + thought if missing_output else usage.output,
        reasoning=thought if missing_output else usage.reasoning,
        units=usage.units,
        cost_nano=usage.cost_nano,
        estimated=usage.estimated,
        doubts=usage.doubts,
    )


def _possible(reported: ReportedUsage, doubts: list[str]) -> ReportedUsage:
    """A provider's counts with the impossible ones left out and noted."""
    counts = (
        reported.input_tokens,
        reported.output_tokens,
        reported.total_tokens,
        reported.cached_input_tokens,
        reported.cache_write_tokens,
        reported.cache_write_1h_tokens,
        reported.reasoning_tokens,
        reported.tool_input_tokens,
    )
    for count in counts:
        if count is not None and not 0 <= count <= MOST_TOKENS:
            break
    else:
        return reported
    wrong = [name for name in _LOOKED_AT if not 0 <= (getattr(reported, name) or 0) <= MOST_TOKENS]
    doubts.extend(wrong)
    none: dict[str, Any] = dict.fromkeys(wrong)
    return reported._replace(**none)


def _possible_units(reported: Mapping[str, int], doubts: list[str]) -> Mapping[str, int]:
    """Pieces billed one by one, without zeros and impossible counts."""
    if any(not 0 <= number <= MOST_UNITS for number in reported.values()):
        doubts.append("units")
    return MappingProxyType({name: number for name, number in reported.items() if 0 < number <= MOST_UNITS})


def _sides(rule: UsageRule, figures: ReportedUsage, cached: int, doubts: list[str]) -> tuple[int, int]:
    """The provider's input and output figures.

    One that is missing is worked out from the total (Gemini leaves out an output of 0), or else taken as 0 and doubted.
    """
    prompt, output, total = figures.input_tokens, figures.output_tokens, figures.total_tokens
    if prompt is not None and output is not None:
        return prompt, output
    beside = figures.tool_input_tokens or 0
    beside += 0 if rule.cached_inside_input else cached
    beside += (figures.reasoning_tokens or 0) if rule.reasoning_inside_total and not rule.reasoning_inside_output else 0
    if prompt is None and output is None:
        doubts.extend(("input_tokens", "output_tokens"))
        return 0, 0 if total is None else max(0, total - beside)
    if prompt is None:
        return _rest(total, (output or 0) + beside, "input_tokens", doubts), output or 0
    return prompt, _rest(total, prompt + beside, "output_tokens", doubts)


def _rest(total: int | None, known: int, name: str, doubts: list[str]) -> int:
    """What the total leaves for the missing figure `name`."""
    if total is None or total < known:
        doubts.append(name)
        return 0
    return total - known


def _inside(prompt: int, read: int, writes: int, hour: int, doubts: list[str]) -> tuple[int, int, int, int]:
    """Take cached tokens out of the input figure that holds them; they cannot exceed it."""
    if read > prompt:
        doubts.append("cached_input_tokens")
        read = prompt
    if writes > prompt - read:
        doubts.append("cache_write_tokens")
        writes = prompt - read
    return prompt - read - writes, read, writes, min(hour, writes)
