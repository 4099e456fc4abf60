"""An operator's own prices: explicit, complete rows that replace the source's and say so."""

from collections.abc import Mapping
from types import MappingProxyType

from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.pricing import PriceRow, Rates, Tier

_RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
_FIELDS = frozenset({*_RATES, "tiers", "fees", "allowance", "free"})


def override_row(name: str, stated: Mapping[str, object], replaced: PriceRow | None) -> PriceRow:
    """The row an operator states for `provider/model`. It replaces the source's row as a whole.

    `input`, `output` and the other rates are USD per million tokens as decimal strings or whole numbers; `tiers` is a
    list of such mappings with `above`; `fees` maps a fee's name to USD a piece; `free = true` stands alone. A model
    that writes nothing (embeddings) stays one, and has no `output`.
    Raises `ValueError` with a sentence, `PriceUnknown` for a row that cannot be.
    """
    provider, slash, model = name.partition("/")
    if not (provider and slash and model):
        raise _refused(name, "must be named provider/model")
    unknown = sorted(set(stated) - _FIELDS)
    if unknown:
        raise _refused(name, f"has the unknown field {unknown[0]}; known are {', '.join(sorted(_FIELDS))}")
    free = stated.get("free", False)
    if not isinstance(free, bool):
        raise _refused(name, "must say free = true or nothing")
    input_only = replaced is not None and replaced.input_only
    return PriceRow(
        provider=provider,
        model=model,
        rates=Rates.of(input=0, output=0) if free else _rates(name, stated, input_only=input_only),
        tiers=tuple(_tier(name, tier, input_only=input_only) for tier in _list(name, stated.get("tiers", []))),
        fees=MappingProxyType(
            {fee: _amount(name, fee, value) for fee, value in _mapping(name, "fees", stated.get("fees", {})).items()}
        ),
        allowance=_amount(name, "allowance", stated.get("allowance", "0")),
        source=f"operator override of {replaced.source}" if replaced else "operator",
        own_cost_wins=replaced.own_cost_wins if replaced else False,
        free=free,
        input_only=input_only,
    )


def merge(rows: Mapping[tuple[str, str], PriceRow], overrides: Mapping[str, Mapping[str, object]]) -> list[PriceRow]:
    """The source's rows with the operator's in place of theirs, or beside them."""
    merged = dict(rows)
    for name, stated in overrides.items():
        provider, _, model = name.partition("/")
        merged[provider, model] = override_row(name, stated, rows.get((provider, model)))
    return list(merged.values())


def _rates(name: str, stated: Mapping[str, object], *, input_only: bool) -> Rates:
    values = {key: _amount(name, key, stated[key]) for key in _RATES if key in stated}
    if input_only:
        values.setdefault("output", 0)
    if "input" not in values or "output" not in values:
        raise _refused(name, "needs both input and output")
    return Rates.of(**values)


def _tier(name: str, stated: object, *, input_only: bool) -> Tier:
    tier = dict(_mapping(name, "tiers", stated))
    above = tier.pop("above", None)
    if not isinstance(above, int) or isinstance(above, bool):
        raise _refused(name, "needs a whole number of tokens as `above` in each tier")
    unknown = sorted(set(tier) - set(_RATES))
    if unknown:
        raise _refused(name, f"has the unknown field {unknown[0]} in a tier")
    return Tier(above, _rates(name, tier, input_only=input_only))


def _amount(name: str, key: str, value: object) -> int:
    """USD as a decimal string or a whole number; floats are refused because they are not exact."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _refused(name, f'must give {key} as a decimal string like "1.25"')
    try:
        return parse_usd(str(value))
    except ValueError as wrong:
        raise _refused(name, f"has a wrong {key}: {wrong}") from wrong


def _mapping(name: str, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _refused(name, f"must give {key} as a table")
    return value


def _list(name: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _refused(name, "must give tiers as a list")
    return value


def _refused(name: str, why: str) -> ValueError:
    return ValueError(f"The price override {name!r} {why}.")
