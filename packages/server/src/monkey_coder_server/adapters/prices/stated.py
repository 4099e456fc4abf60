"""What the price source states of a model, apart from the package it comes in.

`stated.json` beside this file keeps it for the models we serve: the package takes half a second and 14 MiB to load,
which a process that only serves has no other use for. `python -m tools.prices` writes the file.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from msgspec import Struct, json


class Step(Struct, frozen=True):
    """The price of prompts longer than `start` tokens."""

    start: int
    price: Decimal


class Tiered(Struct, frozen=True):
    """A price that hangs on the length of the prompt."""

    base: Decimal
    tiers: tuple[Step, ...]


class Price(Struct, frozen=True, omit_defaults=True):
    """USD under the source's own names: `…_mtok` per million tokens, `…_kcount` per thousand pieces."""

    input_mtok: Decimal | Tiered | None = None
    output_mtok: Decimal | Tiered | None = None
    cache_read_mtok: Decimal | Tiered | None = None
    cache_write_mtok: Decimal | Tiered | None = None
    cache_write_1h_mtok: Decimal | Tiered | None = None
    output_reasoning_mtok: Decimal | Tiered | None = None
    output_citation_mtok: Decimal | Tiered | None = None
    requests_kcount: Decimal | Tiered | None = None
    web_searches_kcount: Decimal | Tiered | None = None


class Period(Struct, frozen=True):
    """Prices from one ISO date on; an empty date is the beginning of time."""

    begins: str
    price: Price


class StatedModel(Struct, frozen=True):
    """A model by the source's own id, its periods from the earliest on."""

    id: str
    periods: tuple[Period, ...]


class Stated(Struct, frozen=True):
    """Models by the source's id of their provider, and by the name we serve them under. `version`: the package's."""

    version: str
    models: Mapping[str, Mapping[str, StatedModel]]


@lru_cache(maxsize=1)
def stated() -> Stated:
    """What is kept."""
    return json.decode(files(__package__).joinpath("stated.json").read_bytes(), type=Stated)
