"""A team as a caller asks for it: how many agents, how they work together, how often an answer is thought over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from monkey_coder_server.domain.collapse import Collapse, Rule

MOST_AGENTS = 8
MOST_ROUNDS = 5
DEFAULT_AGENTS = 3
DEFAULT_THRESHOLD = 0.7


class Strategy(StrEnum):
    """How agents work together.

    `SEQUENTIAL`: one after the other, each improves the answer of the one before. `PARALLEL`: all at once, each for
    itself; what enough agree on is kept. `COLLABORATIVE`: all at once, then the first makes one answer of theirs.
    `HIERARCHICAL`: the first plans, the others carry the plan out at once, and the first makes one answer of theirs.
    """

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    COLLABORATIVE = "collaborative"
    HIERARCHICAL = "hierarchical"


@dataclass(frozen=True, slots=True)
class Team:
    """`threshold` is the share of the answers that must agree for a consensus, which spares further work.

    `rounds` is how often, at most, the answer is criticised and written anew.
    """

    agents: int = DEFAULT_AGENTS
    strategy: Strategy = Strategy.COLLABORATIVE
    threshold: float = DEFAULT_THRESHOLD
    rounds: int = 0

    @property
    def alone(self) -> bool:
        """Whether this is an ordinary request."""
        return self.agents == 1 and not self.rounds

    @property
    def plans(self) -> bool:
        """Whether the first agent plans what the others do."""
        return self.strategy is Strategy.HIERARCHICAL and self.agents > 1

    @property
    def writers(self) -> int:
        """How many agents write an answer of their own before there is one of all."""
        return self.agents - 1 if self.plans else self.agents

    @property
    def merges(self) -> bool:
        """Whether one answer is made of several where they do not agree."""
        return self.writers > 1 and self.strategy not in {Strategy.SEQUENTIAL, Strategy.PARALLEL}

    @property
    def consensus(self) -> Collapse:
        """When answers count as agreed on."""
        return Collapse(Rule.CONSENSUS, self.writers, threshold=self.threshold)

    def smaller(self) -> Iterator["Team"]:
        """Teams that cost less, largest first: fewer rounds, then fewer agents; none that is alone."""
        for rounds in range(self.rounds - 1, 0 if self.agents == 1 else -1, -1):
            yield replace(self, rounds=rounds)
        for agents in range(self.agents - 1, 1, -1):
            yield replace(self, agents=agents, rounds=0)
