"""One arm after the other, each answer checked: which arm runs next, or which answer to stop with.

The rule: a right answer is worth so many USD. Stopping is worth the probability that the best answer at hand is right,
times that worth. Starting an arm costs what it is expected to and is worth what can then be done with what is seen of
it, looking ahead over all sequences of at most `steps` arms. The most valuable is done; stopping, when nothing is
worth more. What is seen of a run changes what is believed of its answer and, through the difficulty of the task, of
every arm that has not run. The first arm always runs, if the hold allows it: a request wants an answer.

An arm starts only if its worst-case cost and those of all started before fit into the hold, and only once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.bandit.difficulty import LEVELS, Levels
from monkey_coder_server.domain.bandit.runner import Runner, Seen, after, prospects, right_given

STEPS = 4
"""Arms in a sequence; more wrong answers get past a check the more are tried."""

_Run = tuple[int, int]
"""An arm's place, and the place of what was seen of it among its sights; -1 where it left no answer."""


class Start(NamedTuple):
    """Run this arm next. `right` is the probability that it is right, `cost` what it is expected to cost, in USD.

    `per_usd` is the probability that it is right and passes, over that cost.
    """

    arm: str
    right: float
    cost: float
    per_usd: float


class Stop(NamedTuple):
    """Answer with what this arm did, which is right with this probability; None where no arm left an answer."""

    arm: str | None
    right: float


class Foreseen(NamedTuple):
    """The expected quality of a request's answer and its expected cost in USD."""

    quality: float
    cost: float


class _Outlook(NamedTuple):
    """The best that can be done, figures times the sum of the levels' weights. `arm` is None where that is to stop."""

    value: float
    quality: float
    cost: float
    arm: int | None
    answer: int | None


class Cascade:
    """The sequence for one request, or for all of a kind: what is foreseen is remembered."""

    def __init__(self, runners: Sequence[Runner], *, worth: float, hold: int, steps: int = STEPS) -> None:
        """`worth` of a right answer in USD, above 0; `hold` in nano-dollars."""
        self._runners = tuple(runners)
        self._worth = worth
        self._hold = hold
        self._steps = steps
        self._outlooks: dict[frozenset[_Run], _Outlook] = {}

    def step(self, seen: Mapping[str, Seen]) -> Start | Stop:
        """What to do after these arms ended, of which this was seen."""
        weights = (1 / LEVELS,) * LEVELS
        runs: frozenset[_Run] = frozenset()
        for place, runner in enumerate(self._runners):
            if runner.name in seen:
                sight = seen[runner.name]
                runs |= {(place, -1 if sight is None else runner.sights.index(sight))}
                weights = weights if sight is None else after(runner, sight, weights)
        total = sum(weights)
        outlook = self._outlook(runs, weights)
        if outlook.arm is None:
            answer = None if outlook.answer is None else self._runners[outlook.answer].name
            return Stop(answer, outlook.quality / total)
        runner = self._runners[outlook.arm]
        right, cost = prospects(runner, weights)
        passing = sum(sight.of.right for sight in runner.sights if sight.passed)
        return Start(runner.name, right / total, cost / total, passing * right / cost if cost else float("inf"))

    def foresee(self) -> Foreseen:
        """What the whole sequence is expected to bring and to cost."""
        outlook = self._outlook(frozenset(), (1 / LEVELS,) * LEVELS)
        return Foreseen(outlook.quality, outlook.cost)

    def _outlook(self, runs: frozenset[_Run], weights: Levels) -> _Outlook:
        found = self._outlooks.get(runs)
        if found is None:
            found = self._outlooks[runs] = self._look(runs, weights)
        return found

    def _look(self, runs: frozenset[_Run], weights: Levels) -> _Outlook:
        best = self._stopping(runs, weights)
        if len(runs) >= self._steps:
            return best
        started = {place for place, _ in runs}
        commitment = Commitment(self._hold, sum(self._runners[place].bound for place in started))
        total = sum(weights)
        for place, runner in enumerate(self._runners):
            if place in started or not commitment.allows(runner.bound):
                continue
            cost = prospects(runner, weights)[1]
            if runs and self._worth * total - cost <= best.value:
                continue
            outlook = self._starting(place, cost, runs, weights)
            if outlook.value > best.value or (best.arm is None and not runs):
                best = outlook
        return best

    def _stopping(self, runs: frozenset[_Run], weights: Levels) -> _Outlook:
        answer, right = None, 0.0
        for place, seen in sorted(runs):
            if seen >= 0:
                runner = self._runners[place]
                now = right_given(runner, runner.sights[seen], weights)
                if answer is None or now > right:
                    answer, right = place, now
        return _Outlook(self._worth * right, right, 0.0, None, answer)

    def _starting(self, place: int, cost: float, runs: frozenset[_Run], weights: Levels) -> _Outlook:
        runner = self._runners[place]
        quality, spent = 0.0, cost
        for number, sight in enumerate(runner.sights):
            then = self._outlook(runs | {(place, number)}, after(runner, sight, weights))
            quality += then.quality
            spent += then.cost
        return _Outlook(self._worth * quality - spent, quality, spent, place, None)
