"""What a request costs us, what it costs its account, and the most it can cost: exact integers, rounded up once.

Prices are nano-dollars per million tokens; fees are nano-dollars a piece.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType

from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.money import BASIS_POINTS, TOKENS_PER_PRICE_UNIT, ceil_div, usd
from monkey_coder_server.domain.usage import Usage

DEAREST_RATE = 1_000_000 * 1_000_000_000
"""A million USD per million tokens: above this a price is a mistake."""

REQUESTS_FEE = "requests"
FEE_OF_UNIT: Mapping[str, str] = MappingProxyType(
    {
        "web_search_requests": "web_searches",  # Anthropic usage.server_tool_use
        "web_search_calls": "web_searches",  # OpenAI Responses, counted among the items of an answer
        "num_search_queries": "web_searches",  # Perplexity usage
        "webSearchQueries": "web_searches",  # Gemini groundingMetadata
        "citation_tokens": "citation_tokens",  # Perplexity usage, sonar-deep-research
    }
)
"""Which fee of a price row bills a unit a provider reports."""

_NO_FEES: Mapping[str, int] = MappingProxyType({})


def _no_fees() -> Mapping[str, int]:
    return _NO_FEES


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per million tokens of each bucket. `reasoning` is for the reasoning part of the output."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    reasoning: int

    @classmethod
    def of(  # noqa: PLR0913 - one keyword for each bucket
        cls,
        *,
        input: int,  # noqa: A002 - the bucket's name everywhere else
        output: int,
        cache_read: int | None = None,
        cache_write_5m: int | None = None,
        cache_write_1h: int | None = None,
        reasoning: int | None = None,
    ) -> "Rates":
        """Rates with what a price list leaves out filled in: caching costs as plain input, reasoning as output."""
        short_write = input if cache_write_5m is None else cache_write_5m
        return cls(
            input=input,
            cache_read=input if cache_read is None else cache_read,
            cache_write_5m=short_write,
            cache_write_1h=short_write if cache_write_1h is None else cache_write_1h,
            output=output,
            reasoning=output if reasoning is None else reasoning,
        )

    @property
    def dearest_input(self) -> int:
        """The most a prompt token can cost, whichever bucket it falls into."""
        return max(self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h)

    @property
    def dearest_output(self) -> int:
        """The most an output token can cost."""
        return max(self.output, self.reasoning)


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates for every token of a request whose whole prompt is longer than `above` tokens (a cliff, not a margin)."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The price of one model. `fees` by canonical name; `allowance` is held besides for what the provider adds unasked.

    `effective_from` and `effective_until` are ISO dates (UTC) where the source states them. `own_cost_wins`: the
    provider's own figure is the bill. `input_only`: the model writes nothing (embeddings), so only input has a price.
    `free`: the vendor says so, at `source`. Raises `PriceUnknown` when a price is absent, negative or absurd.
    """

    provider: str
    model: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    fees: Mapping[str, int] = field(default_factory=_no_fees)
    allowance: int = 0
    source: str = ""
    effective_from: str | None = None
    effective_until: str | None = None
    own_cost_wins: bool = False
    free: bool = False
    input_only: bool = False

    def __post_init__(self) -> None:
        for rates in (self.rates, *(tier.rates for tier in self.tiers)):
            _check(self, rates)
        if any(not 0 <= fee <= DEAREST_RATE for fee in (*self.fees.values(), self.allowance)):
            raise _unpriced(self.provider, self.model, "a fee is negative or absurd")
        starts = [tier.above for tier in self.tiers]
        if starts != sorted(set(starts)) or any(start <= 0 for start in starts):
            raise _unpriced(self.provider, self.model, "its price tiers are out of order")

    @property
    def name(self) -> str:
        """How receipts cite the row, together with the book's id."""
        return f"{self.provider}/{self.model}"

    def rates_for(self, prompt_tokens: int) -> Rates:
        """The rates a prompt of that length pays."""
        for tier in reversed(self.tiers):
            if prompt_tokens > tier.above:
                return tier.rates
        return self.rates

    def facts(self) -> dict[str, object]:
        """Everything the price hangs on, as JSON."""
        return {
            "provider": self.provider,
            "model": self.model,
            "rates": _rate_list(self.rates),
            "tiers": [[tier.above, *_rate_list(tier.rates)] for tier in self.tiers],
            "fees": dict(self.fees),
            "allowance": self.allowance,
            "source": self.source,
            "effective_from": self.effective_from,
            "effective_until": self.effective_until,
            "own_cost_wins": self.own_cost_wins,
            "free": self.free,
            "input_only": self.input_only,
        }


@dataclass(frozen=True)
class PriceBook:
    """An immutable set of price rows. `refused` says why a model known to the source has no row."""

    rows: Mapping[tuple[str, str], PriceRow]
    refused: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[PriceRow], refused: Mapping[tuple[str, str], str] | None = None) -> "PriceBook":
        """A book of these rows; a later row of the same model replaces an earlier one."""
        return cls(MappingProxyType({(row.provider, row.model): row for row in rows}), dict(refused or {}))

    @cached_property
    def id(self) -> str:
        """Hash of the content: equal books have equal ids on every process."""
        facts = [self.rows[key].facts() for key in sorted(self.rows)]
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def valid_until(self) -> str | None:
        """The first ISO date on which a row of this book is replaced by another; None when none is known."""
        return min((row.effective_until for row in self.rows.values() if row.effective_until), default=None)

    def row(self, provider: str, model: str) -> PriceRow:
        """The price of a model. Raises `PriceUnknown`."""
        found = self.rows.get((provider, model))
        if found is None:
            raise _unpriced(provider, model, self.refused.get((provider, model), "no price is known for it"))
        return found


def cost(row: PriceRow, usage: Usage) -> int:
    """What the provider charges us, in nano-dollars."""
    return ceil_div(_exact(row, usage), TOKENS_PER_PRICE_UNIT)


def price(row: PriceRow, usage: Usage, markup_basis_points: int) -> int:
    """What the account pays, in nano-dollars: the exact cost plus markup, rounded up once."""
    return ceil_div(_exact(row, usage) * (BASIS_POINTS + markup_basis_points), TOKENS_PER_PRICE_UNIT * BASIS_POINTS)


def cost_and_price(row: PriceRow, usage: Usage, markup_basis_points: int) -> tuple[int, int]:
    """`cost` and `price` of the same usage, which is reckoned once."""
    exact = _exact(row, usage)
    charged = ceil_div(exact * (BASIS_POINTS + markup_basis_points), TOKENS_PER_PRICE_UNIT * BASIS_POINTS)
    return ceil_div(exact, TOKENS_PER_PRICE_UNIT), charged


def plain_price(row: PriceRow, input_tokens: int, output_tokens: int, *, markup_basis_points: int) -> int:
    """`price` of a request without caching, reasoning or searches, for expectations over many candidates."""
    rates = row.rates_for(input_tokens) if row.tiers else row.rates
    exact = input_tokens * rates.input + output_tokens * rates.output
    if row.fees:
        exact += row.fees.get(REQUESTS_FEE, 0) * TOKENS_PER_PRICE_UNIT
    return ceil_div(exact * (BASIS_POINTS + markup_basis_points), TOKENS_PER_PRICE_UNIT * BASIS_POINTS)


def upper_bound(row: PriceRow, input_tokens: int, max_output_tokens: int, *, markup_basis_points: int = 0) -> int:
    """The most `price` can be for a prompt of at most `input_tokens` and `max_output_tokens`, reasoning included.

    Every prompt token is reckoned in the dearest bucket of the dearest tier within reach. Searches a provider runs
    are covered by `allowance` only; what a provider bills beyond this is the house's loss.
    """
    exact = input_tokens * row.rates.dearest_input + max_output_tokens * row.rates.dearest_output
    for tier in row.tiers:
        if input_tokens > tier.above:
            rates = tier.rates
            exact = max(exact, input_tokens * rates.dearest_input + max_output_tokens * rates.dearest_output)
    exact += (row.fees.get(REQUESTS_FEE, 0) + row.allowance) * TOKENS_PER_PRICE_UNIT
    return ceil_div(exact * (BASIS_POINTS + markup_basis_points), TOKENS_PER_PRICE_UNIT * BASIS_POINTS)


def cache_saving(row: PriceRow, usage: Usage, markup_basis_points: int) -> int:
    """How much the provider's prompt cache spared the account; negative when writing to it cost more than it saved."""
    if row.own_cost_wins:
        return 0
    without = Usage(uncached_input=usage.input, output=usage.output, reasoning=usage.reasoning, units=usage.units)
    return price(row, without, markup_basis_points) - price(row, usage, markup_basis_points)


def own_cost_difference(row: PriceRow, usage: Usage) -> int | None:
    """The provider's own figure less ours by tokens, in nano-dollars; None when it sent none."""
    if usage.cost_nano is None:
        return None
    return usage.cost_nano - ceil_div(_exact(row, usage._replace(cost_nano=None)), TOKENS_PER_PRICE_UNIT)


def _exact(row: PriceRow, usage: Usage) -> int:
    """Millionths of a nano-dollar. An own cost of 0 for work done is not believed."""
    if row.own_cost_wins and usage.cost_nano:
        return usage.cost_nano * TOKENS_PER_PRICE_UNIT
    rates = row.rates_for(usage.input) if row.tiers else row.rates
    exact = (
        usage.uncached_input * rates.input
        + usage.cache_read * rates.cache_read
        + usage.cache_write_5m * rates.cache_write_5m
        + usage.cache_write_1h * rates.cache_write_1h
        + (usage.output - usage.reasoning) * rates.output
        + usage.reasoning * rates.reasoning
    )
    if not row.fees:
        return exact
    pieces = row.fees.get(REQUESTS_FEE, 0)
    for unit, number in usage.units.items():
        pieces += row.fees.get(FEE_OF_UNIT.get(unit, unit), 0) * number
    return exact + pieces * TOKENS_PER_PRICE_UNIT


def _check(row: PriceRow, rates: Rates) -> None:
    values = _rate_list(rates)
    if any(not 0 <= value <= DEAREST_RATE for value in values):
        raise _unpriced(row.provider, row.model, "a price is negative or absurd")
    if row.free and any(values):
        raise _unpriced(row.provider, row.model, "it is called free and has a price")
    if row.input_only and rates.dearest_output:
        raise _unpriced(row.provider, row.model, "it has a price for output and writes none")
    if not row.free and not (rates.input and (rates.output or row.input_only)):
        raise _unpriced(row.provider, row.model, "its input or output price is 0 and it is not called free")


def _rate_list(rates: Rates) -> list[int]:
    return [getattr(rates, each.name) for each in fields(Rates)]


def _unpriced(provider: str, model: str, why: str) -> PriceUnknown:
    name = f"{provider}/{model}"
    return PriceUnknown(f"{name} cannot be used: {why}.", facts={"model": name, "reason": why})


def rate_usd(rate: int) -> str:
    """A rate as USD per million tokens, a decimal string."""
    return usd(rate)
