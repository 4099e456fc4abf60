"""Whether an arm has become worse than is believed of it, and how the belief is given up when it has.

A one-sided cumulative sum of how far outcomes fell short of what was expected, less an allowance for each. It stands at
0 while the belief holds, and past a limit the arm is held to have changed since it last stood there.
"""

from dataclasses import dataclass

from monkey_coder_server.domain.bandit.evidence import Evidence, Tally

LIMIT = 4.0
ALLOWANCE = 0.1
"""In quality, for each outcome."""
KEPT_ROWS = 15.0
"""After a change all that was seen of the arm counts as so many outcomes."""


@dataclass(slots=True)
class Drift:
    """The sum of one arm, and what was expected and what came since it last was 0."""

    shortfall: float = 0.0
    expected: float = 0.0
    came: float = 0.0

    def learn(self, expected: float, quality: float, weight: float = 1.0) -> bool:
        """Count an outcome beside the quality that was expected of the arm then; whether the arm has become worse."""
        self.shortfall += weight * (expected - quality - ALLOWANCE)
        self.expected += weight * expected
        self.came += weight * quality
        if self.shortfall <= 0:
            self.shortfall = self.expected = self.came = 0.0
        return self.shortfall > LIMIT

    @property
    def left(self) -> float:
        """The share of the expected quality that came since the sum last was 0; 1 where it is."""
        return min(1.0, self.came / self.expected) if self.expected > 0 else 1.0


def give_up(evidence: Evidence, arm: str, left: float, rows: float = KEPT_ROWS) -> None:
    """Let all that was seen of an arm count as at most so many outcomes, of this share of their quality.

    Kinds of work keep their proportions, so where the arm was better it is still held to be.
    """
    everywhere = evidence.at(()).get(arm, Tally())
    kept = min(1.0, rows / everywhere.rows) if everywhere.rows > 0 else 1.0
    for arms in evidence.nodes.values():
        if tally := arms.get(arm):
            arms[arm] = remainder(tally, kept, left)


def remainder(tally: Tally, kept: float, left: float) -> Tally:
    """What is left of a tally: a share of its outcomes, of a share of their quality."""
    return Tally(
        kept * tally.rows,
        kept * left * tally.quality,
        kept * left * left * tally.quality_squared,
        kept * tally.recency,
        kept * tally.recency_squared,
        kept * left * tally.product,
    )
