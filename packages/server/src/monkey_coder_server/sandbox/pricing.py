"""What a provider bills for one request: exact fractions of a nano-dollar, rounded up once."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Usage

_FALLBACKS = {
    "cache_read_mtok": "input_mtok",
    "cache_write_mtok": "input_mtok",
    "cache_write_1h_mtok": "cache_write_mtok",
    "output_reasoning_mtok": "output_mtok",
    "output_citation_mtok": "output_mtok",
}


@dataclass(frozen=True, slots=True)
class Bill:
    """A provider's charge, by part, in exact nano-dollars."""

    parts: dict[str, Fraction]

    @property
    def exact(self) -> Fraction:
        """The sum before rounding, in nano-dollars."""
        return sum(self.parts.values(), Fraction())

    @property
    def nanos(self) -> int:
        """The sum in whole nano-dollars, rounded up once."""
        return ceil(self.exact)


def _unit(card: Card, key: str, prompt_tokens: int) -> Fraction:
    while key not in card.prices:
        key = _FALLBACKS[key]
    return card.prices[key].at(prompt_tokens)


def bill(card: Card, usage: Usage) -> Bill:
    """Price the buckets of a request. A prompt longer than a tier's start pays that tier throughout."""
    counts = {
        "input_mtok": usage.uncached,
        "cache_read_mtok": usage.cache_read,
        "cache_write_mtok": usage.cache_write_5m,
        "cache_write_1h_mtok": usage.cache_write_1h,
        "output_mtok": usage.output,
        "output_reasoning_mtok": usage.reasoning,
        "output_citation_mtok": usage.citation,
    }
    parts = {key: _unit(card, key, usage.prompt) * number for key, number in counts.items() if number}
    if "requests_kcount" in card.prices:
        parts["requests_kcount"] = card.prices["requests_kcount"].at(usage.prompt)
    if usage.searches and "web_searches_kcount" in card.prices:
        parts["web_searches_kcount"] = card.prices["web_searches_kcount"].at(usage.prompt) * usage.searches
    return Bill(parts)
