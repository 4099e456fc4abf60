"""What a provider says it billed, and what our books say it did: the two sides of a reconciliation.

Amounts are nano-dollars, days are UTC dates as ISO text, counts are tokens unless their name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add
from types import MappingProxyType
from typing import NamedTuple

USD = "USD"
INPUT_KINDS = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h")
"""Disjoint; together they are `input`."""
KINDS = ("input", *INPUT_KINDS, "cache_write", "output", "reasoning", "searches")
"""What an invoice may count. `cache_write` is both lifetimes together; `output` includes `reasoning`."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Tokens(NamedTuple):
    """What our books count of a request or of several. `output` includes `reasoning`; `searches` are pieces."""

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    searches: int = 0

    def plus(self, other: "Tokens") -> "Tokens":
        """Both together."""
        return Tokens(*map(add, self, other))

    def of(self, kind: str) -> int:
        """The count of a kind. Raises `AttributeError` for one that is not in `KINDS`."""
        if kind == "input":
            return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h
        if kind == "cache_write":
            return self.cache_write_5m + self.cache_write_1h
        return int(getattr(self, kind))


@dataclass(frozen=True, slots=True)
class Booked:
    """One answer in our provider-cost books, or the sum of several of a day and model (`requests`).

    `transaction_id` and `line` name the entry that booked it; `amount` includes what a correction added. `reported` is
    the cost the answer itself carried. `estimated`: no figure of the provider's stands behind it yet.
    """

    transaction_id: str
    line: int
    request_id: str
    day: str
    model: str
    tokens: Tokens
    amount: int
    provider_request_id: str | None = None
    reported: int | None = None
    estimated: bool = False
    corrected: bool = False
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Invoiced:
    """One line of an invoice: a request where the provider names it, else a sum over a day and a model.

    `tokens` has the kinds the line tells of. `amount` is None where it only counts. `name` says where it stands.
    """

    day: str
    model: str
    tokens: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    amount: int | None = None
    provider_request_id: str | None = None
    currency: str = USD
    name: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """Everything a provider says of a period. `resolution` is the smallest amount it writes, in nano-dollars."""

    lines: tuple[Invoiced, ...]
    resolution: int = 1
    by_request: bool = False
    """Its lines are single requests; else they are sums."""
