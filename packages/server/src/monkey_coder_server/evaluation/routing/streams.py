"""Streams of tasks with bandit feedback: only what the played arm did is ever seen, soon, late or not at all."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from monkey_coder_server.evaluation.routing.data import Outcome, Row
from monkey_coder_server.evaluation.routing.learner import Learner, Play, Terms

SHOCK_AT = 1 / 3
"""Of the stream: when an arm becomes worse, or new ones come."""
SHOCKED = 0.5
"""The share of its quality the arm keeps."""


class Feedback(NamedTuple):
    """After how many more tasks an outcome is heard of, and the share that is heard of at all."""

    delay: int = 0
    share: float = 1.0


AT_ONCE = Feedback()
LATE = Feedback(50, 0.3)


@dataclass(frozen=True, slots=True)
class Stream:
    """Tasks in the order they come. `newcomers` are there from a third of them on."""

    rows: Sequence[Row]
    arms: Sequence[str]
    terms: Terms
    newcomers: frozenset[str] = frozenset()
    feedback: Feedback = AT_ONCE
    shocked: bool = False

    @property
    def turn(self) -> int:
        """The task from which on the shock is felt, or the newcomers are there."""
        return int(SHOCK_AT * len(self.rows))


@dataclass(frozen=True, slots=True)
class Course:
    """What was played, the utility each time, and the arm that became worse."""

    arms: Sequence[str]
    utilities: Sequence[float]
    worse: str | None = None


def play(stream: Stream, learner: Learner, seed: int) -> Course:
    """Let the learner play the stream."""
    random = Random(f"stream|{seed}")
    hearing = _Hearing(stream.feedback, learner, random)
    played: list[str] = []
    utilities: list[float] = []
    worse: str | None = None
    early = [arm for arm in stream.arms if arm not in stream.newcomers]
    for at, row in enumerate(stream.rows):
        if at == stream.turn and stream.shocked:
            worse = Counter(played).most_common(1)[0][0]
        chosen = learner.choose(row.context, early if at < stream.turn else stream.arms, random.random())
        outcome = come(row, chosen.arm, worse)
        played.append(chosen.arm)
        utilities.append(stream.terms.utility(outcome))
        hearing.tell(chosen, outcome)
    return Course(played, utilities, worse)


def come(row: Row, arm: str, worse: str | None = None) -> Outcome:
    """What comes of a task, with an arm that became worse."""
    outcome = row.outcomes[arm]
    return outcome._replace(quality=SHOCKED * outcome.quality) if arm == worse else outcome


@dataclass(slots=True)
class _Hearing:
    feedback: Feedback
    learner: Learner
    random: Random
    waiting: deque[tuple[Play, Outcome]] = field(default_factory=deque)

    def tell(self, chosen: Play, outcome: Outcome) -> None:
        self.waiting.append((chosen, outcome))
        if len(self.waiting) > self.feedback.delay:
            play, came = self.waiting.popleft()
            if self.random.random() < self.feedback.share:
                self.learner.hear(play, came)
