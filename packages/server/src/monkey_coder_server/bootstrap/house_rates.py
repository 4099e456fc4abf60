"""The rates the operator's settings name."""

from collections.abc import Mapping

from monkey_coder_server.domain.rates import HouseRates, Measure, SetRate
from monkey_coder_server.settings import Settings


def house_rates(settings: Settings) -> HouseRates:
    """For the whole gateway, for each network address, and for a key that names no rate of its own."""
    return HouseRates(
        key=SetRate(Measure.REQUESTS, settings.rate_limit_per_minute, "RATE_LIMIT_PER_MINUTE"),
        gateway=_set(settings.rates.gateway),
        address=_set(settings.rates.address),
    )


def _set(figures: Mapping[str, int]) -> tuple[SetRate, ...]:
    return tuple(
        [SetRate(Measure(name.rpartition("_")[2].lower()), allowed, name) for name, allowed in figures.items()]
    )
