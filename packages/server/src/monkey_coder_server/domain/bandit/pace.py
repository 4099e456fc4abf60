"""What a race is expected to bring, cost and take, before it starts.

Given the difficulty of the task the arms are independent, and each ends after one of its equally likely durations. A
run's cost grows evenly with its duration, so a cancelled one costs its share of the time it ran.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from monkey_coder_server.domain.bandit.difficulty import LEVELS
from monkey_coder_server.domain.bandit.runner import Runner


class Pace(NamedTuple):
    """Expected quality, cost in USD and duration in the runners' unit."""

    quality: float
    cost: float
    time: float


def pace(runners: Sequence[Runner]) -> Pace:
    """Of a race of these arms, each with durations of both kinds of run."""
    levels = [_Level([_Course.of(runner, level) for runner in runners]) for level in range(LEVELS)]
    unpassed = [sum(level.right_of_none(place) for level in levels) for place in range(len(runners))]
    return Pace(
        (sum(level.quality() for level in levels) + max(unpassed)) / LEVELS,
        sum(level.cost() for level in levels) / LEVELS,
        sum(level.time() for level in levels) / LEVELS,
    )


class _Ended(NamedTuple):
    """A way a run may end, its cost a unit of time, and how probably it then passes, right or wrong, or fails."""

    time: float
    rate: float
    right: float
    wrong: float
    failing: float


@dataclass(frozen=True, slots=True)
class _Course:
    """What may come of an arm at one level of difficulty, by time, with the sums of passing and of failing so far."""

    ends: Sequence[_Ended]
    times: Sequence[float]
    passed: Sequence[float]
    failed: Sequence[float]
    right_failing: float

    @classmethod
    def of(cls, runner: Runner, level: int) -> "_Course":
        chance = runner.chances[level]
        passes_right = sum(sight.of.right for sight in runner.sights if sight.passed)
        passes_wrong = sum(sight.of.wrong for sight in runner.sights if sight.passed)
        right, wrong = runner.times
        ends = [
            _Ended(
                time, runner.cost.right * len(right) / sum(right), share * passes_right, 0.0, share * (1 - passes_right)
            )
            for time, share in ((time, chance / len(right)) for time in right)
        ] + [
            _Ended(
                time, runner.cost.wrong * len(wrong) / sum(wrong), 0.0, share * passes_wrong, share * (1 - passes_wrong)
            )
            for time, share in ((time, (1 - chance) / len(wrong)) for time in wrong)
        ]
        ends.sort()
        return cls(
            ends,
            [end.time for end in ends],
            [0.0, *accumulate(end.right + end.wrong for end in ends)],
            [0.0, *accumulate(end.failing for end in ends)],
            chance * (1 - passes_right),
        )

    def running_or_failed(self, time: float, *, tied: bool) -> float:
        """The probability that it has not passed by then; `tied` counts a pass at just that time as none yet."""
        ended = bisect_left(self.times, time) if tied else bisect_right(self.times, time)
        return 1 - self.passed[ended]

    def failed_by(self, time: float) -> float:
        return self.failed[bisect_right(self.times, time)]


@dataclass(frozen=True, slots=True)
class _Level:
    courses: Sequence[_Course]

    def quality(self) -> float:
        """The probability that the first answer to pass is right."""
        return sum(
            end.right * self._first(place, end.time) for place, course in enumerate(self.courses) for end in course.ends
        )

    def right_of_none(self, place: int) -> float:
        """The probability that none passes, though this arm is right."""
        return self.courses[place].right_failing * prod(
            course.failed[-1] for at, course in enumerate(self.courses) if at != place
        )

    def cost(self) -> float:
        """In USD, of all arms until they end or one passes."""
        total = 0.0
        for place, course in enumerate(self.courses):
            others = [other for at, other in enumerate(self.courses) if at != place]
            steps = sorted({0.0, *(time for other in others for time in other.times), *course.times})
            lasting, run = {0.0: 0.0}, 0.0
            for before, time in pairwise(steps):
                run += (time - before) * prod(other.running_or_failed(before, tied=False) for other in others)
                lasting[time] = run
            total += sum(end.rate * lasting[end.time] * (end.right + end.wrong + end.failing) for end in course.ends)
        return total

    def time(self) -> float:
        """Until the first answer passes, or the last arm fails."""
        passing = sum(
            (end.right + end.wrong) * end.time * self._first(place, end.time)
            for place, course in enumerate(self.courses)
            for end in course.ends
        )
        failing = before = 0.0
        for time in sorted({time for course in self.courses for time in course.times}):
            by_then = prod(course.failed_by(time) for course in self.courses)
            failing += (by_then - before) * time
            before = by_then
        return passing + failing

    def _first(self, place: int, time: float) -> float:
        """The probability that no other arm has passed by then; of those that pass at once the first listed counts."""
        return prod(
            course.running_or_failed(time, tied=at > place) for at, course in enumerate(self.courses) if at != place
        )
