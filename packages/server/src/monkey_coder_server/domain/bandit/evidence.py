"""What was seen of the arms' quality: sums by kind of work, which add up in any order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monkey_coder_server.domain.bandit.context import DEPTH, Context, Node


@dataclass(slots=True)
class Tally:
    """Weighted sums over outcomes: how many, their quality and recency, the squares and the product of both."""

    rows: float = 0.0
    quality: float = 0.0
    quality_squared: float = 0.0
    recency: float = 0.0
    recency_squared: float = 0.0
    product: float = 0.0

    def add(self, weight: float, quality: float, recency: float) -> None:
        """Count one outcome."""
        weighed = weight * quality
        self.rows += weight
        self.quality += weighed
        self.quality_squared += weighed * quality
        if recency:
            timed = weight * recency
            self.recency += timed
            self.recency_squared += timed * recency
            self.product += timed * quality

    def merge(self, other: "Tally") -> None:
        """Count all that another counted."""
        self.rows += other.rows
        self.quality += other.quality
        self.quality_squared += other.quality_squared
        self.recency += other.recency
        self.recency_squared += other.recency_squared
        self.product += other.product


@dataclass(slots=True)
class Evidence:
    """Tallies by kind of work and arm. An arm that was never seen at a kind has none there."""

    nodes: dict[Node, dict[str, Tally]] = field(default_factory=dict)

    def add(self, context: Context, arm: str, quality: float, weight: float = 1.0) -> None:
        """Count an outcome, of quality 0 to 1 and a weight above 0, at every kind the task belongs to."""
        recency = context.recency
        for node in context.nodes:
            self._tally(node, arm).add(weight, quality, recency)

    def merge(self, other: "Evidence") -> None:
        """Take over what another process saw."""
        for node, arms in other.nodes.items():
            for arm, tally in arms.items():
                self._tally(node, arm).merge(tally)

    def at(self, node: Node) -> Mapping[str, Tally]:
        """Every arm's tally at a kind of work."""
        return self.nodes.get(node, {})

    def finest(self) -> Iterator[tuple[str, Tally]]:
        """Every arm's tally at every kind that has none below it."""
        for node, arms in self.nodes.items():
            if len(node) == DEPTH:
                yield from arms.items()

    def _tally(self, node: Node, arm: str) -> Tally:
        arms = self.nodes.get(node)
        if arms is None:
            arms = self.nodes[node] = {}
        tally = arms.get(arm)
        if tally is None:
            tally = arms[arm] = Tally()
        return tally
