"""The price book frozen from the data of the `genai-prices` package, for exactly the models we serve.

Its units: `…_mtok` is USD per million tokens, `…_kcount` USD per thousand pieces. A tier's price holds for every token
of a request whose prompt is longer than the tier's start (its `TieredPrices` documentation). Cache writes without a
price of their own cost as input.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from monkey_coder_server.adapters.prices.stated import Period, Price, StatedModel, Step, Tiered, stated
from monkey_coder_server.domain.catalog import Kind, ModelCard
from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.price_overrides import merge
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates, Tier
from monkey_coder_server.ports.provider import Provider

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

_NO_OVERRIDES: Mapping[str, Mapping[str, object]] = MappingProxyType({})

_RATES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}
_FEES = {
    "requests": ("requests_kcount", 1_000),
    "web_searches": ("web_searches_kcount", 1_000),
    "citation_tokens": ("output_citation_mtok", 1_000_000),
}

_UNASKED = {"citation_tokens": 100_000, "web_searches": 100}
_UNASKED_REASONING = 400_000
"""What one sonar-deep-research request is held for beside its answer: about five times Perplexity's own worked example
(20,016 citation tokens, 18 searches, 73,997 reasoning tokens). Other models search and cite only when asked to."""


class _Unusable(ValueError):
    """A model's prices cannot be taken over; the message says why. `key` is the price it is about."""

    def __init__(self, why: str, key: str = "") -> None:
        super().__init__(f"its {key} {why}" if key else why)


def load_price_book(
    providers: Iterable[Provider], now: datetime, overrides: Mapping[str, Mapping[str, object]] = _NO_OVERRIDES
) -> PriceBook:
    """A row for each model of these providers, valid at `now` (aware), with the operator's overrides in place.

    A model without a trustworthy price is left out; the book says why when it is asked for. Raises `ValueError` or
    `PriceUnknown` for an override that cannot be.
    """
    rows: dict[tuple[str, str], PriceRow] = {}
    refused: dict[tuple[str, str], str] = {}
    for provider in providers:
        for card in provider.offers:
            try:
                rows[provider.name, card.model] = _row(provider, card, now)
            except _Unusable as why:
                refused[provider.name, card.model] = str(why)
            except PriceUnknown as why:
                refused[provider.name, card.model] = why.facts["reason"]
    return PriceBook.of(merge(rows, overrides), refused)


def _row(provider: Provider, card: ModelCard, now: datetime) -> PriceRow:
    if card.model in provider.free:
        return PriceRow(
            provider=provider.name,
            model=card.model,
            rates=Rates.of(input=0, output=0),
            source=provider.free[card.model],
            free=True,
        )
    input_only = card.kind is Kind.EMBEDDINGS
    model = _stated(provider.prices_id, card.model)
    price, begins, ends = _valid(model, now)
    return PriceRow(
        provider=provider.name,
        model=card.model,
        rates=_rates(price, 0, input_only=input_only),
        tiers=tuple(Tier(start, _rates(price, start + 1, input_only=input_only)) for start in _starts(price)),
        fees=MappingProxyType(_fees(price)),
        allowance=_allowance(price),
        source=f"{price_source()} {provider.prices_id}/{model.id}",
        effective_from=begins,
        effective_until=ends,
        own_cost_wins=provider.usage_rule.own_cost_wins,
        input_only=input_only,
    )


def _stated(prices_id: str, name: str) -> StatedModel:
    """What is kept of a model, as long as it comes from the package that is installed, else what that says."""
    kept = stated()
    if kept.version == _version() and (model := kept.models.get(prices_id, {}).get(name)):
        return model
    return extract(prices_id, name)


def extract(prices_id: str, name: str) -> StatedModel:
    """What the installed package states of a model. Raises `ValueError` for what no price row can be made of."""
    model = _find(prices_id, name)
    return StatedModel(model.id, tuple(_periods(model)))


@lru_cache(maxsize=1)
def _models() -> Mapping[str, "tuple[ModelInfo, ...]"]:
    """Every model by provider id; the data takes half a second to load, so only once and only when asked for."""
    from genai_prices.data import providers  # noqa: PLC0415 - half a second and 14 MiB, not for a process that serves

    return {provider.id: tuple(provider.models) for provider in providers}


@lru_cache(maxsize=1)
def _version() -> str:
    return version("genai-prices")


def price_source() -> str:
    """Which data the rows come from."""
    return f"genai-prices {_version()}"


def _find(prices_id: str, name: str) -> "ModelInfo":
    """The source's model: the one of that very id, else the first whose matching rule takes the name."""
    models = _models().get(prices_id, ())
    for model in models:
        if model.id == name:
            return model
    for model in models:
        if model.is_match(name):
            return model
    raise _Unusable("the price source does not know it")


def _valid(model: StatedModel, now: datetime) -> tuple[Price, str | None, str | None]:
    """The prices valid at `now`, since when, and until when."""
    today = now.date().isoformat()
    current = [period for period in model.periods if period.begins <= today]
    later = [period.begins for period in model.periods if period.begins > today]
    if not current:
        raise _Unusable("the price source has no price for it yet")
    return current[-1].price, current[-1].begins or None, later[0] if later else None


def _periods(model: "ModelInfo") -> list[Period]:
    from genai_prices.types import ModelPrice, StartDateConstraint  # noqa: PLC0415 - see `_models`

    if isinstance(model.prices, ModelPrice):
        return [Period("", _price(model.prices))]
    periods = []
    for conditional in model.prices:
        constraint = conditional.constraint
        if constraint is not None and not isinstance(constraint, StartDateConstraint):
            raise _Unusable("its price changes with the time of day")
        begins = "" if constraint is None else constraint.start_date.isoformat()
        periods.append(Period(begins, _price(conditional.prices)))
    return sorted(periods, key=lambda period: period.begins)


def _price(price: "ModelPrice") -> Price:
    return Price(**{key: _plain(getattr(price, key)) for key in Price.__struct_fields__})


def _plain(value: Any) -> Any:
    tiers = getattr(value, "tiers", None)
    return value if tiers is None else Tiered(value.base, tuple(Step(tier.start, tier.price) for tier in tiers))


def _starts(price: Price) -> list[int]:
    """Where tiers begin, over all buckets."""
    return sorted({tier.start for key in _RATES.values() for tier in getattr(getattr(price, key), "tiers", ())})


def _rates(price: Price, prompt_tokens: int, *, input_only: bool = False) -> Rates:
    """The rates of a prompt of that length. `input_only`: the model writes nothing, so output costs nothing."""
    found = {bucket: _nano(_at(getattr(price, key), prompt_tokens), key) for bucket, key in _RATES.items()}
    stated = {bucket: nano for bucket, nano in found.items() if nano is not None}
    if input_only:
        stated.setdefault("output", 0)
    if "input" not in stated or "output" not in stated:
        raise _Unusable("it has no price for both input and output tokens")
    return Rates.of(**stated)


def _at(value: object, prompt_tokens: int) -> object:
    """The price of a prompt of that length, where the price has tiers."""
    tiers = getattr(value, "tiers", None)
    if tiers is None:
        return value
    reached = [tier.price for tier in sorted(tiers, key=lambda tier: tier.start) if prompt_tokens > tier.start]
    return reached[-1] if reached else getattr(value, "base", None)


def _fees(price: Price) -> dict[str, int]:
    """Nano-dollars a piece. A fee with tiers is refused: no provider has one."""
    fees: dict[str, int] = {}
    for fee, (key, pieces) in _FEES.items():
        nano = _nano(getattr(price, key), key)
        if nano is None:
            continue
        each, rest = divmod(nano, pieces)
        if rest:
            raise _Unusable("is finer than a nano-dollar a piece", key)
        fees[fee] = each
    return fees


def _allowance(price: Price) -> int:
    """What is held beside for research a model does unasked: only those that price citations do."""
    fees = _fees(price)
    if "citation_tokens" not in fees:
        return 0
    reasoning = _rates(price, 0).reasoning * _UNASKED_REASONING // 1_000_000
    return reasoning + sum(fees.get(fee, 0) * pieces for fee, pieces in _UNASKED.items())


def _nano(value: object, key: str) -> int | None:
    """USD as nano-dollars, exactly; None when there is no price. Anything but an exact number is refused."""
    if value is None:
        return None
    if not isinstance(value, Decimal) or not value.is_finite():
        raise _Unusable("is not a number", key)
    nano = value * NANO_PER_USD
    if nano != nano.to_integral_value():
        raise _Unusable("is finer than a nano-dollar", key)
    return int(nano)
