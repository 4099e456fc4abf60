"""Never much worse than a baseline: an account of what was gained over a share of what the baseline would have brought.

Another arm than the baseline is played only while the account would not fall below 0 if that arm brought the least it
can. What the baseline would have brought is not seen then: it is taken as expected, and as it may have been luckier,
a standard deviation of all such outcomes together is held back.
"""

from dataclasses import dataclass
from math import sqrt

from monkey_coder_server.domain.bandit.shrinkage import ASSUMED_NOISE

GIVEN_UP = 0.05
"""The share of the baseline's utility that may be given up to learn."""


@dataclass(slots=True)
class Conservatism:
    """The balance of the account, in units of utility, and how often the baseline was not played."""

    given_up: float = GIVEN_UP
    balance: float = 0.0
    unseen: int = 0

    def allows(self, least: float, baseline: float) -> bool:
        """Whether an arm may be played that brings at least so much where this is expected of the baseline."""
        held_back = sqrt(ASSUMED_NOISE * (self.unseen + 1))
        return self.balance - held_back + least >= (1 - self.given_up) * baseline

    def start(self, least: float, baseline: float) -> None:
        """Count an arm that is played, as long as its outcome is not known: as the least it can bring."""
        self.balance += least - (1 - self.given_up) * baseline
        self.unseen += 1

    def learn(self, least: float, utility: float) -> None:
        """Count what came of it; where nothing was heard of it, what was expected."""
        self.balance += utility - least

    def keep_to_baseline(self, utility: float) -> None:
        """Count that the baseline was played and brought this."""
        self.balance += self.given_up * utility
