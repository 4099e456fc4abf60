"""The text of requests as the request path hears it: foretold at each outcome, learnt from it, heard once it earned it.

Weights are shared by all accounts, the say is each account's own: what others told moves nothing of an account at whose
outcomes it foretold nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monkey_coder_server.domain.bandit.earned import Standing, gain, moved, standing
from monkey_coder_server.domain.bandit.mark_weights import MarkWeights
from monkey_coder_server.domain.bandit.marks import Marks
from monkey_coder_server.domain.bandit.surprises import Surprises

IN_FULL = 200.0
"""So many outcomes of an account count in full in two periods, each later one less: none drowns the others."""


class Foretold(NamedTuple):
    """An outcome as it was foretold before it was known: without the text, and as the text moves it.

    `unscaled` is what the marks say, `share` how much the outcome counts.
    """

    account_id: str
    period: int
    arm: str
    marks: Marks
    plain: float
    heard: float
    unscaled: float
    share: float


@dataclass(slots=True)
class Hearing:
    """Sums that are shared, and the weights they were last said to mean."""

    surprises: Surprises = field(default_factory=Surprises)
    weights: MarkWeights = field(default_factory=MarkWeights)

    def standing(self, account_id: str, period: int) -> Standing:
        """Whether an account's requests are heard, and by what evidence."""
        return standing(self.surprises, account_id, period)

    def shifts(self, arms: Sequence[str], marks: Marks) -> list[float]:
        """By how much the text would move what is believed of each arm, in the order given."""
        return self.weights.shifts(arms, marks)

    def foretell(self, account_id: str, period: int, arm: str, marks: Marks, plain: float) -> Foretold:
        """An arm's outcome at a prompt, of which so much is believed without the text, 0 to 1, both excluded."""
        unscaled = self.weights.unscaled(arm, marks)
        seen = self.standing(account_id, period).outcomes
        share = min(1.0, IN_FULL / seen) if seen > 0.0 else 1.0
        heard = moved(plain, self.weights.scale * unscaled)
        return Foretold(account_id, period, arm, marks, plain, heard, unscaled, share)

    def learn(self, foretold: Foretold, quality: float, weight: float) -> None:
        """Count how an outcome came out, 0 to 1; a negative weight takes back one that was counted."""
        _, period, arm, marks, plain, heard, unscaled, share = foretold
        self.surprises.add(arm, marks, share * weight, quality - plain, unscaled)
        self.surprises.credit(foretold.account_id, period, weight, gain(plain, heard, quality))

    def settle(self, weights: MarkWeights) -> None:
        """Believe marks as far as this says; for between requests."""
        self.weights = weights
