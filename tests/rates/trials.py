"""What is tried: which limits, how many gateways where, and whether a Redis is with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from monkey_coder_server.domain.quota import LAPSE, MARGIN, WINDOW
from monkey_coder_server.domain.rates import Measure

MODELS = {
    Measure.REQUESTS: "openai/gpt-4.1-mini",
    Measure.TOKENS: "openai/gpt-4.1-nano",
    Measure.CONCURRENCY: "openai/gpt-4.1",
}
"""What the callers of each limit ask, so that the provider's own count is parted in the same way."""
REDIS, ALONE, KILLED = "redis", "alone", "killed"
LEAST_USABLE = 0.98
EQUAL_SECONDS = LAPSE + WINDOW + MARGIN
"""After so long without Redis everybody has an equal share."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`workers` on each of `hosts`; a Redis is killed `killed_after` seconds of `seconds`, or once all was used."""

    case: str
    allowed: Mapping[Measure, int]
    hosts: int = 2
    workers: int = 2
    clients: int = 256
    seconds: float = 150.0
    killed_after: float | None = None

    @property
    def shared(self) -> bool:
        """Whether there is a Redis at first."""
        return self.case != ALONE

    @property
    def outlives_death(self) -> bool:
        """Whether it goes on for long enough to see equal shares used for a minute."""
        return self.killed_after is not None and self.seconds - self.killed_after >= EQUAL_SECONDS + WINDOW


ALLOWED = {Measure.REQUESTS: 2_400, Measure.TOKENS: 1_200_000, Measure.CONCURRENCY: 40}
"""What two cores can serve beside the simulators and the clients, refusals included."""
TRIALS = (
    Trial(REDIS, ALLOWED),
    Trial(ALONE, ALLOWED, hosts=1, workers=4),
    Trial(KILLED, ALLOWED, seconds=240.0, killed_after=75.0),
)
"""Hosts without Redis know nothing of each other, so there all four are on one."""
