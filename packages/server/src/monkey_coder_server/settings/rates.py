"""How much the whole gateway, and one network address, may ask: `RATE_LIMIT_GATEWAY_…` and `RATE_LIMIT_ADDRESS_…`."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_OF_A_RATE = 999_999_999
_COUNTED = {
    "REQUESTS": "inference requests a minute",
    "TOKENS": "tokens a minute",
    "CONCURRENCY": "inference requests at a time",
}
_HOLDERS = {"GATEWAY": "all callers together", "ADDRESS": "one network address"}
RATE_VARIABLES = tuple(
    (f"RATE_LIMIT_{holder}_{measure}", "0", f"The {counted} of {who}; 0 for any number.")
    for holder, who in _HOLDERS.items()
    for measure, counted in _COUNTED.items()
)
"""Names, defaults and meanings."""


@dataclass(frozen=True, slots=True)
class RateSettings:
    """By the name of its variable, each figure that is set: for the whole gateway, and for each network address."""

    gateway: Mapping[str, int]
    address: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join([f"{name}={each}" for name, each in {**self.gateway, **self.address}.items()]) or "none"


def rate_settings(figures: Mapping[str, int]) -> RateSettings:
    """The figures of `RATE_VARIABLES` that set a limit."""
    found = {name: figure for name, figure in figures.items() if figure}
    of = {holder: {name: each for name, each in found.items() if f"_{holder}_" in name} for holder in _HOLDERS}
    return RateSettings(gateway=of["GATEWAY"], address=of["ADDRESS"])
