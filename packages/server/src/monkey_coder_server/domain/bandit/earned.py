"""Whether the text has earned its say with an account: by what hearing it would have gained at the account's outcomes.

Each outcome is foretold twice, by what is believed without the text and by that as the text moves it, from what was
learnt before it. The gain is the difference of the two log-losses. Were the first forecast right, the exponential of
the summed gains would exceed 100 at any time with a probability below 1 in 100, however often one looks (Ville 1939;
Ramdas and others, "Game-theoretic statistics and safe anytime-valid inference", 2023); so that is what is asked for.
"""

from math import log
from typing import NamedTuple

from monkey_coder_server.domain.bandit.surprises import Surprises

NEEDED = log(100.0)
"""In nats."""
FEWEST = 30.0
"""Fewer outcomes prove nothing."""
PERIOD_DAYS = 28
"""Outcomes of this period and the one before count, so that a text that tells no more soon loses its say."""
LEAST, MOST = 0.02, 0.98
"""No answer is foretold to be surely bad or good."""


class Standing(NamedTuple):
    """The weight of an account's outcomes, and the nats that hearing the text would have gained at them."""

    outcomes: float
    gain: float

    @property
    def is_open(self) -> bool:
        """Whether the text is heard."""
        return self.outcomes >= FEWEST and self.gain >= NEEDED


def period_of(day: int) -> int:
    """The period of a day (`date.toordinal`)."""
    return day // PERIOD_DAYS


def standing(surprises: Surprises, account_id: str, period: int) -> Standing:
    """How the text stands with an account now."""
    now, before = (surprises.told(account_id, each) for each in (period, period - 1))
    return Standing(now.rows + before.rows, now.quality + before.quality)


def moved(expected: float, shift: float) -> float:
    """An expected quality as the text moves it."""
    return min(MOST, max(LEAST, expected + shift))


def gain(plain: float, heard: float, quality: float) -> float:
    """The log-loss saved at an outcome of such quality, 0 to 1, in nats."""
    return quality * log(heard / plain) + (1.0 - quality) * log((1.0 - heard) / (1.0 - plain))
