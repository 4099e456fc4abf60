"""What an arm is expected to cost at a task: list prices first, then what was paid, by kind of work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt

from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.posterior import Belief

LIST_ROWS = 3.0
"""A list price counts as so many costs that were seen."""
COARSER_ROWS = 10.0
"""What a coarser kind of work says of an arm's cost counts as so many costs at the finer one."""


@dataclass(slots=True)
class Spent:
    """Sums over costs in USD: how many, their total and their squares."""

    rows: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def merge(self, other: "Spent") -> None:
        """Count all that another counted."""
        self.rows += other.rows
        self.total += other.total
        self.squares += other.squares


@dataclass(slots=True)
class Costs:
    """Costs that were seen, and what each arm would cost by list price, in USD a task. Sums add up in any order."""

    listed: Mapping[str, float]
    seen: dict[Node, dict[str, Spent]] = field(default_factory=dict)

    def learn(self, context: Context, arm: str, usd: float) -> None:
        """Count a cost at every kind the task belongs to."""
        for node in context.nodes:
            self.seen.setdefault(node, {}).setdefault(arm, Spent()).merge(Spent(1.0, usd, usd * usd))

    def merge(self, other: "Costs") -> None:
        """Take over what another process saw."""
        for node, arms in other.seen.items():
            for arm, spent in arms.items():
                self.seen.setdefault(node, {}).setdefault(arm, Spent()).merge(spent)

    def expect(self, context: Context, arms: Iterable[str]) -> list[Belief]:
        """Each arm's expected cost in USD and the standard deviation of that expectation, in the order given.

        Raises KeyError for an arm without a list price.
        """
        root, *finer = (self.seen.get(node, {}).get for node in context.nodes)
        beliefs = []
        for arm in arms:
            listed, rows = self.listed[arm], LIST_ROWS
            total, squares = LIST_ROWS * listed, 2 * LIST_ROWS * listed * listed
            if spent := root(arm):
                rows += spent.rows
                total += spent.total
                squares += spent.squares
            mean = total / rows
            variance = max(0.0, squares / rows - mean * mean) / rows
            for seen in finer:
                if spent := seen(arm):
                    mean = (COARSER_ROWS * mean + spent.total) / (COARSER_ROWS + spent.rows)
            beliefs.append(Belief(mean, sqrt(variance)))
        return beliefs
