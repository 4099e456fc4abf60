"""What is believed of every arm at a task: evidence by kind of work, and the text where that has earned its say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.directions import Direction
from monkey_coder_server.domain.bandit.gate import Gate
from monkey_coder_server.domain.bandit.posterior import Belief, Posterior


@dataclass(frozen=True, slots=True)
class Telling:
    """A direction of the text and how much each arm's quality moves along it."""

    direction: Direction
    loadings: Mapping[str, float]


@dataclass(slots=True)
class Quality:
    """The posterior, what the text tells, and the gate before it."""

    posterior: Posterior = field(default_factory=Posterior)
    telling: Telling | None = None
    gate: Gate = field(default_factory=Gate)
    text_acts: bool = field(init=False)

    def __post_init__(self) -> None:
        self.text_acts = self.gate.is_open

    def expect(self, context: Context, arms: Sequence[str]) -> list[Belief]:
        """What is believed of each arm at the task, in the order given."""
        beliefs = self.posterior.expect(context, arms)
        if self.telling is None or not self.text_acts:
            return beliefs
        return refined(beliefs, arms, self.telling, context)

    def update(self, context: Context, arm: str, quality: float, weight: float = 1.0) -> None:
        """Learn an outcome, of quality 0 to 1; a faint signal weighs less than 1."""
        self.posterior.update(context, arm, quality, weight)

    def settle(self) -> None:
        """Estimate anew how far kinds and text are believed; for between requests."""
        self.posterior.settle()
        self.text_acts = self.gate.is_open


def refined(beliefs: Sequence[Belief], arms: Sequence[str], telling: Telling, context: Context) -> list[Belief]:
    """The beliefs as the text moves them; an arm without a loading stays where it was."""
    if context.text is None:
        return list(beliefs)
    score, loading = telling.direction.score(context.text), telling.loadings.get
    new = tuple.__new__  # a `Belief` in half the time its class takes
    return [
        new(Belief, (mean + score * loading(arm, 0.0), spread))
        for (mean, spread), arm in zip(beliefs, arms, strict=True)
    ]
