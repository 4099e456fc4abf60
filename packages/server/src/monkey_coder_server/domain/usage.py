"""Token usage: the provider's own numbers, and the one disjoint form everything is billed by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NO_UNITS: Mapping[str, int] = MappingProxyType({})


def _no_units() -> Mapping[str, int]:
    return _NO_UNITS


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """What a provider said, unreconciled; None where it said nothing. All counts are tokens.

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
    units: Mapping[str, int] = field(default_factory=_no_units)


@dataclass(frozen=True, slots=True)
class Usage:
    """Disjoint buckets: every token is in exactly one. `reasoning` is a part of `output`, for display.

    `estimated` when the provider reported nothing and we counted ourselves.
    """

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    units: Mapping[str, int] = field(default_factory=_no_units)
    cost_nano: int | None = None
    estimated: bool = False

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
    `reasoning_inside_output`: reasoning is a subset of the output figure (not xAI chat, not Gemini).
    `own_cost_wins`: the provider's own cost figure is the bill (Perplexity).
    """

    cached_inside_input: bool = True
    reasoning_inside_output: bool = True
    own_cost_wins: bool = False
