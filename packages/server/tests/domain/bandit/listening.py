"""Accounts whose outcomes hang on a word of the prompt, or on nothing of it, for a router that listens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from monkey_coder_server.domain.bandit.hearing import Hearing
from monkey_coder_server.domain.bandit.mark_weights import MarkWeights
from monkey_coder_server.domain.bandit.marks import Marks, read_marks

WORD = "quaternion"
SHARE = 0.4
"""Of the prompts that hold the word."""
ARMS = ("a", "b", "c")
PERIOD = 26_000
WORDS = [f"word{number}" for number in range(3_000)]


@dataclass
class World:
    """`effects`: what the word does to an arm's quality; without it a bit of the contrary, so that means stay."""

    seed: int
    effects: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.base = {arm: self.random.uniform(0.4, 0.6) for arm in ARMS}

    def prompt(self) -> tuple[Marks, bool]:
        holds = self.random.random() < SHARE
        count = self.random.randint(20, 200)
        words = [WORDS[min(2_999, int(3 * self.random.paretovariate(0.6)) - 3)] for _ in range(count)]
        words += [WORD] * holds
        return read_marks(" ".join(sorted(words, key=lambda _: self.random.random())), 4 * count), holds

    def quality(self, arm: str, *, holds: bool) -> float:
        effect = self.effects.get(arm, 0.0)
        return self.base[arm] + effect * (1.0 if holds else -SHARE / (1.0 - SHARE))


@dataclass
class Listener:
    """Believes of each arm the mean of what it saw, and hears the text when that is earned."""

    hearing: Hearing = field(default_factory=Hearing)
    seen: dict[str, tuple[float, float]] = field(default_factory=dict)

    def believed(self, arm: str) -> float:
        good, count = self.seen.get(arm, (0.0, 0.0))
        return (5.0 + good) / (10.0 + count)

    def learn(self, arm: str, marks: Marks, quality: float, *, account: str = "acct_1", period: int = PERIOD) -> None:
        foretold = self.hearing.foretell(account, period, arm, marks, self.believed(arm))
        self.hearing.learn(foretold, quality, 1.0)
        good, count = self.seen.get(arm, (0.0, 0.0))
        self.seen[arm] = good + quality, count + 1.0

    def settle(self) -> None:
        self.hearing.settle(MarkWeights.of(self.hearing.surprises.copied()))

    def is_open(self, account: str = "acct_1", period: int = PERIOD) -> bool:
        return self.hearing.standing(account, period).is_open


def listen(world: World, listener: Listener, rounds: int) -> int | None:
    """Play arms at random and settle now and then; the round in which the gate first stood open."""
    opened = None
    for number in range(rounds):
        marks, holds = world.prompt()
        arm = world.random.choice(ARMS)
        listener.learn(arm, marks, float(world.random.random() < world.quality(arm, holds=holds)))
        if number % 10 == 0:
            listener.settle()
        if opened is None and listener.is_open():
            opened = number
    return opened
