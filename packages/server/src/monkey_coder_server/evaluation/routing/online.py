"""Learning as tasks come, on random orders of a set: regret, late feedback, a shock, newcomers, and the guard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import NamedTuple

from monkey_coder_server.domain.bandit.conservatism import Conservatism
from monkey_coder_server.domain.bandit.costs import Costs
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.quality import Quality
from monkey_coder_server.evaluation.routing.data import FOLDS, Row, Set, fold_of
from monkey_coder_server.evaluation.routing.fitted import learnt
from monkey_coder_server.evaluation.routing.learner import Learner, Terms, copied
from monkey_coder_server.evaluation.routing.protocol import quantile
from monkey_coder_server.evaluation.routing.routers import Lesson, lesson
from monkey_coder_server.evaluation.routing.sequences import Span
from monkey_coder_server.evaluation.routing.splits import Split
from monkey_coder_server.evaluation.routing.streams import LATE, Course, Stream, come, play

PERMUTATIONS = 20
PRICE = 0.3
"""What the strong arm's mean cost is worth in quality."""
AFTER_SHOCK = 200
"""Tasks after a shock over which the learner is held against the best arm there."""
WARMED_UP = 25
"""From so many tasks on the worst ratio to the baseline is looked for: one task's luck is no ratio."""
NEWCOMERS = 5
"""As many arms come late, at most a third of all."""
CURVE = 40
"""Points of a regret curve, past its start."""
LEARNING = ("cold", "warm", "late", "guarded", "guarded_cold")
MODES = (*LEARNING, "fixed", "uniform")
"""The last two learn nothing: the arm that training says is best, and any arm alike."""


class Regret(NamedTuple):
    """Utility lost against the best fixed arm of hindsight after a quarter, half and all of the tasks."""

    quarter: Span
    half: Span
    end: Span


@dataclass(frozen=True, slots=True)
class ModeFigures:
    """Of one way to learn: regret, mean utility, the worst cumulative ratio to the baseline, the mean regret curve."""

    regret: Regret
    utility: Span
    worst_ratio: Span
    curve: Sequence[float]


@dataclass(frozen=True, slots=True)
class OnlineReport:
    """All figures of a set, means over random orders with 5 to 95 % of these. `rounds` is the mean number of tasks.

    `shock` is the share of what the best fixed arm brings after the shock. `newcomers`: mean utility where some arms
    come late and unknown, and the share of the tasks since that these get.
    """

    name: str
    rounds: float
    best_fixed: Span
    modes: Mapping[str, ModeFigures]
    shock: Span
    newcomers: tuple[Span, Span]


def report(of: Set, prices: Mapping[tuple[str, str], float], train: Sequence[Row] | None) -> OnlineReport:
    """Play every mode on 20 orders, after the training rows; without these, two folds teach for the three others."""
    taught: dict[int, _Taught] = {}
    found = []
    for seed in range(PERMUTATIONS):
        part = 0 if train is not None else seed % FOLDS
        if part not in taught:
            taught[part] = _taught(of, prices, train, part)
        found.append(_Order(taught[part], seed).figures())
    return OnlineReport(
        of.name,
        sum(each.rounds for each in found) / len(found),
        _span([each.best_fixed for each in found]),
        {mode: _summary([each.courses[mode] for each in found]) for mode in MODES},
        _span([each.shock for each in found]),
        (_span([each.newcomers[0] for each in found]), _span([each.newcomers[1] for each in found])),
    )


@dataclass(frozen=True, slots=True)
class _Taught:
    """What is known before a stream, and the rows that stream."""

    lesson: Lesson
    rows: Sequence[Row]
    quality: Quality
    costs: Costs
    terms: Terms
    baseline: str


def _taught(of: Set, prices: Mapping[tuple[str, str], float], train: Sequence[Row] | None, part: int) -> _Taught:
    if train is None:
        first = (part, (part + 1) % FOLDS)
        train = [row for row in of.rows if fold_of(row.item_id) in first]
        rows: Sequence[Row] = [row for row in of.rows if fold_of(row.item_id) not in first]
    else:
        rows = of.rows
    known = lesson(of, Split(train, ()), prices)
    strong = max(range(len(of.arms)), key=lambda arm: (known.qualities[arm], -known.costs[arm]))
    terms = Terms(PRICE, known.costs[strong] or 1.0)
    costs = Costs(dict(zip(of.arms, known.costs, strict=True)))
    for row in train:
        for arm in row.outcomes.keys() & set(of.arms):
            costs.learn(row.context, arm, row.outcomes[arm].cost)
    utilities = [
        quality - PRICE * cost / terms.strong_cost for quality, cost in zip(known.qualities, known.costs, strict=True)
    ]
    return _Taught(known, rows, learnt(known), costs, terms, of.arms[utilities.index(max(utilities))])


class _Played(NamedTuple):
    """One mode on one order: cumulative regret, and cumulative utility beside the baseline's."""

    regret: Sequence[float]
    utility: float
    worst_ratio: float


@dataclass(frozen=True, slots=True)
class _Figures:
    rounds: int
    best_fixed: float
    courses: Mapping[str, _Played]
    shock: float
    newcomers: tuple[float, float]


class _Order:
    """One random order of the rows."""

    def __init__(self, taught: _Taught, seed: int) -> None:
        self._taught, self._seed, self._arms = taught, seed, taught.lesson.arms
        self._random = Random(f"order|{seed}")
        rows = [*taught.rows]
        self._random.shuffle(rows)
        self._stream = Stream(rows, self._arms, taught.terms)
        self._fixed = {arm: self._utilities(arm) for arm in self._arms}
        self._best = max(self._fixed.values(), key=sum)

    def figures(self) -> _Figures:
        late = replace(self._stream, feedback=LATE)
        courses = {
            "cold": self._judged(play(self._stream, self._cold(), self._seed)),
            "warm": self._judged(warm := play(self._stream, self._warm(), self._seed)),
            "late": self._judged(play(late, self._warm(), self._seed)),
            "guarded": self._judged(play(self._stream, self._warm(guard=Conservatism()), self._seed)),
            "guarded_cold": self._judged(play(self._stream, self._cold(guard=Conservatism()), self._seed)),
        }
        courses["fixed"] = self._judged(Course([], self._fixed[self._taught.baseline]))
        courses["uniform"] = self._judged(Course([], self._of_any_arm()))
        return _Figures(
            len(warm.arms),
            sum(self._best) / len(self._best),
            courses,
            self._shocked(),
            self._newcomers(),
        )

    def _warm(self, *, guard: Conservatism | None = None) -> Learner:
        costs = Costs(self._taught.costs.listed)
        costs.merge(self._taught.costs)
        return Learner(self._taught.terms, copied(self._taught.quality), costs, self._taught.baseline, guard)

    def _cold(self, *, guard: Conservatism | None = None) -> Learner:
        costs = Costs(self._taught.costs.listed)
        return Learner(self._taught.terms, Quality(Posterior()), costs, self._taught.baseline, guard)

    def _of_any_arm(self) -> list[float]:
        """What an arm taken at random brings at each task, on average."""
        return [sum(several) / len(several) for several in zip(*self._fixed.values(), strict=True)]

    def _utilities(self, arm: str, worse: str | None = None) -> list[float]:
        return [self._taught.terms.utility(come(row, arm, worse)) for row in self._stream.rows]

    def _judged(self, course: Course) -> _Played:
        regret = [*accumulate(best - ours for best, ours in zip(self._best, course.utilities, strict=True))]
        sums = zip(accumulate(course.utilities), accumulate(self._fixed[self._taught.baseline]), strict=True)
        ratios = [ours / baseline for ours, baseline in [*sums][WARMED_UP:] if baseline > 0]
        return _Played(regret, sum(course.utilities) / len(course.utilities), min(ratios, default=1.0))

    def _shocked(self) -> float:
        course = play(replace(self._stream, shocked=True), self._warm(), self._seed)
        after = slice(self._stream.turn, self._stream.turn + AFTER_SHOCK)
        best = max(sum(self._utilities(arm, course.worse)[after]) for arm in self._arms)
        return sum(course.utilities[after]) / best if best > 0 else 1.0

    def _newcomers(self) -> tuple[float, float]:
        """Newcomers are unknown to the beliefs and are not the baseline."""
        others = [arm for arm in self._arms if arm != self._taught.baseline]
        late = frozenset(self._random.sample(others, min(NEWCOMERS, len(self._arms) // 3)))
        learner = self._warm()
        for arms in learner.quality.posterior.evidence.nodes.values():
            for arm in late & arms.keys():
                del arms[arm]
        for spent in learner.costs.seen.values():
            for arm in late & spent.keys():
                del spent[arm]
        course = play(replace(self._stream, newcomers=late), learner, self._seed)
        after = course.arms[self._stream.turn :]
        return sum(course.utilities) / len(course.utilities), sum(arm in late for arm in after) / len(after)


def _summary(played: Sequence[_Played]) -> ModeFigures:
    def at(share: float) -> Callable[[_Played], float]:
        return lambda each: each.regret[max(0, round(share * len(each.regret)) - 1)]

    curve = [sum(map(at(step / CURVE), played)) / len(played) for step in range(1, CURVE + 1)]
    return ModeFigures(
        Regret(*(_span([*map(at(share), played)]) for share in (0.25, 0.5, 1.0))),
        _span([each.utility for each in played]),
        _span([each.worst_ratio for each in played]),
        [0.0, *curve],
    )


def _span(values: Sequence[float]) -> Span:
    return Span(sum(values) / len(values), quantile(values, 0.05), quantile(values, 0.95))
