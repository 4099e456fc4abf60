"""What rules on models look at: a model's names, its price for an account, what it can do, what becomes of the data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.money import BASIS_POINTS, ceil_div
from monkey_coder_server.domain.pricing import PriceRow


class DataPolicy(StrEnum):
    """What a provider says publicly, of its API as it is used without an agreement of one's own."""

    NO_TRAINING = "no_training"
    """What is sent and answered trains no models."""
    RETENTION_30_DAYS = "retention_30_days"
    """It is deleted within 30 days, but for what law or an investigation of misuse keeps."""
    ZERO_RETENTION = "zero_retention"
    """It is not kept at all."""


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Which policies a provider is known to have. What is not among them is unknown, and fulfils no rule.

    `source` names where that was read and `checked` when (ISO date), or the operator's setting.
    """

    policies: frozenset[DataPolicy] = frozenset()
    source: str = ""
    checked: str = ""


UNKNOWN = DataFacts()


class ModelFacts(NamedTuple):
    """A model as an account would use it. Prices in nano-dollars per million tokens, markup included.

    They are those of the dearest tier, for a rule must hold however long a prompt is; None: no price is known.
    """

    provider: str
    model: str
    input_price: int | None = None
    output_price: int | None = None
    capabilities: frozenset[Capability] = frozenset()
    policies: frozenset[DataPolicy] = frozenset()

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


def facts_of(card: ModelCard, row: PriceRow | None, markup_basis_points: int, data: DataFacts) -> ModelFacts:
    """The facts of a model at a price."""
    dearest_input = dearest_output = None
    if row is not None:
        rates = (row.rates, *(tier.rates for tier in row.tiers))
        factor = BASIS_POINTS + markup_basis_points
        dearest_input = ceil_div(max(each.input for each in rates) * factor, BASIS_POINTS)
        dearest_output = ceil_div(max(each.dearest_output for each in rates) * factor, BASIS_POINTS)
    return ModelFacts(card.provider, card.model, dearest_input, dearest_output, card.capabilities, data.policies)
