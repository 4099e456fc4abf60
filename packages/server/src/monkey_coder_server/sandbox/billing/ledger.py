"""The tally as an accountant sees it: what is billed, on which day, for which part."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from monkey_coder_server.sandbox import pricing
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Kind
from monkey_coder_server.sandbox.tally import Entry
from monkey_coder_server.sandbox.world import World

_KINDS: tuple[Kind, ...] = ("chat", "embeddings", "moderation")
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Billed:
    """A billed request with its card and the exact nano-dollars of each part of its price."""

    entry: Entry
    card: Card
    parts: dict[str, Fraction]

    @property
    def day(self) -> date:
        """The UTC day it is billed on."""
        return self.entry.at.date()


def billed(world: World, provider: str, first: date, last: date) -> Iterator[Billed]:
    """What a provider bills for the days from `first` to `last`, both included, in the order it was served."""
    for entry in world.tally.entries:
        if entry.provider != provider or not entry.cost_nanos or not first <= entry.at.date() <= last:
            continue
        card = next((found for kind in _KINDS if (found := world.card(provider, entry.model, kind))), None)
        if card is not None:
            yield Billed(entry, card, pricing.bill(card, entry.usage).parts)


def dollars(nano: Fraction) -> Decimal:
    """Nano-dollars as dollars, exact: prices are decimal, so the fraction ends."""
    return Decimal(nano.numerator) / Decimal(nano.denominator) / _NANO
