"""Cascades and races on recorded runs, with simulated checks of stated quality.

The product's own code learns from training rows, chooses its plans by what it learnt, and plays them on other rows. A
simulated verdict is independent of all but the truth, and drawn anew for each seed. Durations are counted in model
calls; a cancelled run costs its share of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from monkey_coder_server.domain.bandit.cascade import Cascade, Start
from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.race import standing
from monkey_coder_server.domain.bandit.runner import Runner, Seen
from monkey_coder_server.domain.bandit.sequence_plans import CascadePlan, RacePlan, finest, quickest, thriftiest
from monkey_coder_server.evaluation.routing.data import Row, Set
from monkey_coder_server.evaluation.routing.protocol import DRAWS, SEED, quantile
from monkey_coder_server.evaluation.routing.runners import Check, Checked, Knowledge
from monkey_coder_server.evaluation.routing.splits import Split

CHECKS = (Check(0.5, 0.5), Check(0.7, 0.3), Check(0.8, 0.2), Check(0.9, 0.1), Check(0.95, 0.05), Check(1.0, 0.0))
STATED = Check(0.9, 0.1)
"""The check whose figures are told first: an assumption, to be measured on own traffic."""
SEEDS = 20
MODES = ("cascade", "finest", "race")
"""Cascades that save, cascades that seek quality at no more cost, and races."""


class Played(NamedTuple):
    """What came of a task: quality, cost in USD and model calls from start to answer."""

    quality: float
    cost: float
    calls: float


class Span(NamedTuple):
    """A mean with its 5 to 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SequenceFigures:
    """A mode with one check: means, and against the strongest arm the gain in quality and shares of cost and calls."""

    mean: Played
    gain: Span
    cost_share: Span
    calls_share: Span
    plans: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SequenceReport:
    """All figures of a set of recorded runs; `strong` is what always running the strongest arm of training comes to."""

    name: str
    strongest: str
    strong: Played
    figures: dict[Check, dict[str, SequenceFigures]]


def report(of: Set, splits: Sequence[Split], strongest: str, checks: Sequence[Check] = CHECKS) -> SequenceReport | None:
    """Play every mode with every check on the rows that tell each arm's calls; None where none does."""
    told = [told for split in splits if (told := _told(of, split, strongest)).test]
    if not told:
        return None
    known = [Knowledge(*_common(split.train, of.arms, strongest)) for split in told]
    figures = {
        check: _figures(of, [*zip(told, (each.checked(check) for each in known), strict=True)], strongest, check)
        for check in checks
    }
    strong = _mean([_single(of.rows[place], strongest) for split in told for place in split.test])
    return SequenceReport(of.name, strongest, strong, figures)


def _told(of: Set, split: Split, strongest: str) -> Split:
    train = [row for row in split.train if strongest in row.calls]
    test = [place for place in split.test if of.rows[place].calls.keys() >= set(of.arms)]
    return Split(train, test if train else [])


def _figures(
    of: Set, splits: Sequence[tuple[Split, Checked]], strongest: str, check: Check
) -> dict[str, SequenceFigures]:
    played: dict[str, list[tuple[Played, Sequence[Played]]]] = {mode: [] for mode in MODES}
    plans: dict[str, dict[tuple[str, ...], None]] = {mode: {} for mode in MODES}
    for split, known in splits:
        players = _Players(known, strongest)
        for place in split.test:
            row = of.rows[place]
            against = _single(row, strongest)
            drawn = [check.verdicts(row, of.arms, seed) for seed in range(SEEDS)]
            for mode in MODES:
                player = players.of(mode, row)
                plans[mode][player.arms] = None
                played[mode].append((against, [player.play(row, verdicts) for verdicts in drawn]))
    return {mode: _summary(played[mode], tuple(plans[mode])) for mode in MODES}


@dataclass(slots=True)
class _Player:
    """A plan at one kind of work, finest kind included."""

    mode: str
    arms: tuple[str, ...]
    runners: Sequence[Runner]
    cascade: Cascade

    def play(self, row: Row, verdicts: dict[str, bool]) -> Played:
        return self._raced(row, verdicts) if self.mode == "race" else self._sequenced(row, verdicts)

    def _sequenced(self, row: Row, verdicts: dict[str, bool]) -> Played:
        seen: dict[str, Seen] = {}
        cost = calls = 0.0
        sights = {runner.name: runner.sights for runner in self.runners}
        while isinstance(step := self.cascade.step(seen), Start):
            cost += row.outcomes[step.arm].cost
            calls += row.calls[step.arm]
            seen[step.arm] = sights[step.arm][0 if verdicts[step.arm] else 1]
        return Played(row.outcomes[step.arm].quality if step.arm else 0.0, cost, calls)

    def _raced(self, row: Row, verdicts: dict[str, bool]) -> Played:
        seen: dict[str, Seen] = {}
        arriving = iter(sorted(self.runners, key=lambda runner: row.calls[runner.name]))
        while (won := standing(self.runners, seen)) is None:
            runner = next(arriving)
            ended = row.calls[runner.name]
            seen[runner.name] = runner.sights[0 if verdicts[runner.name] else 1]
        cost = sum(row.outcomes[name].cost * min(1.0, ended / (row.calls[name] or 1.0)) for name in self.arms)
        return Played(row.outcomes[won.arm].quality if won.arm else 0.0, cost, ended)


class _Players:
    """The plans after one split's training rows, one for each kind of task, with what is believed at finer kinds."""

    def __init__(self, known: Checked, strongest: str) -> None:
        self._knowledge = known
        self._strongest = strongest
        self._plans: dict[Sequence[Node], dict[str, CascadePlan | RacePlan]] = {}
        self._players: dict[tuple[str, Sequence[Node]], _Player] = {}

    def of(self, mode: str, row: Row) -> _Player:
        """The player of a mode at the row's kind of work."""
        key = mode, row.context.nodes
        if key not in self._players:
            self._players[key] = self._player(mode, row.context)
        return self._players[key]

    def _player(self, mode: str, context: Context) -> _Player:
        plan = self._planned(context.nodes[:2])[mode]
        runners = self._knowledge.runners(context)
        running = [runners[arm] for arm in plan.arms]
        worth = plan.worth if isinstance(plan, CascadePlan) else 1.0
        hold = sum(runner.bound for runner in running)
        return _Player(mode, plan.arms, running, Cascade(running, worth=worth, hold=hold))

    def _planned(self, nodes: Sequence[Node]) -> dict[str, CascadePlan | RacePlan]:
        if nodes not in self._plans:
            context = Context(tuple(nodes))
            runners, rates = self._knowledge.runners(context), self._knowledge.rates(context)
            strongest = runners[self._strongest]
            several = [*runners.values()]
            self._plans[nodes] = {
                "cascade": thriftiest(several, strongest, rates),
                "finest": finest(several, strongest, rates),
                "race": quickest(several, strongest, rates),
            }
        return self._plans[nodes]


def _common(rows: Sequence[Row], arms: Sequence[str], strongest: str) -> tuple[list[Row], list[str]]:
    """The strongest arm and those that most of the rows tried, and the rows that tried all of these."""
    known = [arm for arm in arms if arm == strongest or 2 * sum(arm in row.calls for row in rows) > len(rows)]
    common = [row for row in rows if row.calls.keys() >= set(known)]
    return (common, known) if common else ([*rows], [strongest])


def _single(row: Row, arm: str) -> Played:
    outcome = row.outcomes[arm]
    return Played(outcome.quality, outcome.cost, row.calls[arm])


def _mean(played: Sequence[Played]) -> Played:
    return Played(*(sum(column) / len(played) for column in zip(*played, strict=True)))


def _summary(played: Sequence[tuple[Played, Sequence[Played]]], plans: tuple[tuple[str, ...], ...]) -> SequenceFigures:
    drawn = [_shares(pairs) for pairs in _draws(played)]
    whole = _shares([(against, each) for against, several in played for each in several])
    gain, cost, calls = (
        Span(mean, quantile(column, 0.05), quantile(column, 0.95))
        for mean, column in zip(whole, zip(*drawn, strict=True), strict=True)
    )
    return SequenceFigures(_mean([each for _, several in played for each in several]), gain, cost, calls, plans)


def _draws(played: Sequence[tuple[Played, Sequence[Played]]]) -> Iterator[list[tuple[Played, Played]]]:
    """Rows drawn again, each with the verdicts of one seed: both the tasks and the check's noise are of chance."""
    random = Random(SEED)
    for _ in range(DRAWS):
        yield [(against, random.choice(several)) for against, several in random.choices(played, k=len(played))]


def _shares(pairs: Sequence[tuple[Played, Played]]) -> tuple[float, float, float]:
    """Gain in quality over the strongest arm, and cost and calls as shares of its."""
    strong, ours = _mean([against for against, _ in pairs]), _mean([each for _, each in pairs])
    return ours.quality - strong.quality, ours.cost / (strong.cost or 1.0), ours.calls / (strong.calls or 1.0)
