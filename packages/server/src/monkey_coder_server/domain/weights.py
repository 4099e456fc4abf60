"""How much quality, cost and latency count for the router, and who decides that."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isclose
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.catalog import Mode
from monkey_coder_server.domain.errors import InvalidRequest

MOST = 1_000_000
"""The largest number a caller may weigh with: only ratios count."""
SHOWN_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Weights:
    """Percentages that sum to 100."""

    quality: float
    cost: float
    latency: float

    def __post_init__(self) -> None:
        total = self.quality + self.cost + self.latency
        if min(self.quality, self.cost, self.latency) < 0 or not isclose(total, 100):
            raise ValueError("Routing weights must be percentages that sum to 100.")

    def shown(self) -> dict[str, float]:
        """By their names, rounded for readers."""
        return {
            "quality": round(self.quality, SHOWN_DIGITS),
            "cost": round(self.cost, SHOWN_DIGITS),
            "latency": round(self.latency, SHOWN_DIGITS),
        }


BALANCED = Weights(50, 30, 20)
MODE_WEIGHTS: Mapping[Mode, Weights] = MappingProxyType(
    {Mode.CHEAP: Weights(20, 70, 10), Mode.FAST: Weights(20, 10, 70), Mode.BEST: Weights(90, 3, 7)}
)
"""What a caller asks for by `auto:cheap`, `auto:fast`, `auto:best`."""


class Decider(StrEnum):
    """Who decides the weights."""

    REQUEST = "request"
    MODEL = "model"
    """The name asked for, as `auto:cheap`."""
    KEY = "key"
    PERSONA = "persona"


class Weighing(NamedTuple):
    """Weights, and who decided them."""

    weights: Weights
    decided_by: Decider


class Weighers(NamedTuple):
    """What each that may decide says; None where it says nothing. The persona always does."""

    persona: Weights = BALANCED
    key: Weights | None = None
    request: Weights | None = None

    def weighing(self, mode: Mode) -> Weighing:
        """What counts where a model of that mode is asked for: the nearest to the request goes before the farther."""
        asked = MODE_WEIGHTS.get(mode)
        if self.request is not None:
            return Weighing(self.request, Decider.REQUEST)
        if asked is not None:
            return Weighing(asked, Decider.MODEL)
        if self.key is not None:
            return Weighing(self.key, Decider.KEY)
        return Weighing(self.persona, Decider.PERSONA)


UNASKED = Weighers()


def weights_of(
    where: str, *, quality: float | None = None, cost: float | None = None, latency: float | None = None
) -> Weights:
    """Weights in the ratios a caller named; what is left out counts nothing. `where` opens the sentence of a refusal.

    Raises `InvalidRequest` for a number below 0 or beyond `MOST`, for none, and for no number at all.
    """
    named = [each or 0.0 for each in (quality, cost, latency)]
    if not all(0 <= each <= MOST for each in named) or not any(named):
        message = f"{where} must weigh quality, cost and latency by numbers from 0 to {MOST}, at least one above 0."
        raise InvalidRequest(message)
    total = sum(named)
    return Weights(*(100.0 * each / total for each in named))
