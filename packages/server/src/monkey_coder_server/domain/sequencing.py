"""Which arms one request runs one after the other, or at once, behind the checks of their answers.

The planner of `domain/bandit` foresees cascades and races from what is believed of the arms, what they cost and how far
the checks can be believed, and lets none lose quality against the arm believed to be best. Where none is left, one arm
runs alone, and why is said; only a cascade that was asked for runs if it serves the request's weights better than that
arm. `auto` weighs what is left against the best-ranked arm by the request's own weights.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.bandit.cascade import STEPS, Cascade, Start
from monkey_coder_server.domain.bandit.difficulty import LEVELS, Difficulty, Levels, chances
from monkey_coder_server.domain.bandit.runner import FAILING, Given, Runner, Seen, after, verdict_sights
from monkey_coder_server.domain.bandit.sequence_plans import (
    RACERS,
    CascadePlan,
    cascades,
    finest,
    quickest,
    thriftiest,
)
from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.collapse import Rule
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.routing import COST_LOSS_PER_TENFOLD, LATENCY_LOSS_PER_TENFOLD, UNNOTICED_MS
from monkey_coder_server.domain.weights import Weights

SLOPE = Difficulty().slope
"""How much of a task's difficulty arms share: assumed, since here no task is done by several arms and then judged."""
MOST_ARMS = 6
"""Arms that are planned with, of those no other beats: the time planning takes grows with a high power of them."""
ONE_ARM = "only one model can serve this request"
NOT_USEFUL = "the checks are not known to tell right answers from wrong ones well enough at this kind of work"
NO_GAIN = "no sequence is foreseen to keep the quality of the strongest model at less cost or in less time"
GAINS_NO_MORE = "no model that was not asked yet is foreseen to be worth its cost after these failures"
NOT_BETTER = "the best-ranked model alone serves this request's weights of quality, cost and latency better"


class Prospect(NamedTuple):
    """An arm that could run: its believed success, expected and greatest cost (nano-dollars) and duration (ms)."""

    name: str
    success: float
    cost: int
    bound: int
    latency_ms: float


class Outlook(NamedTuple):
    """What is foreseen: quality 0 to 1, cost in USD, milliseconds to the answer."""

    quality: float
    cost: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Sequencing:
    """What a request runs: `rule` CASCADE or RACE with their runners, or SINGLE with none and the `reason`.

    `worth` of a right answer in USD says when a cascade stops. `alone` is what the `strongest` arm is foreseen to do.
    `start` is the arm that answers now, where the caller's check decides whether another is asked (`next_of`).
    """

    rule: Rule
    rates: Rates
    strongest: str
    alone: Outlook
    foreseen: Outlook
    reason: str = ""
    runners: tuple[Runner, ...] = ()
    worth: float = 0.0
    start: Start | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """Those that may run; none where the request is served by a single arm."""
        return tuple(runner.name for runner in self.runners)

    def instead(self, reason: str) -> "Sequencing":
        """That one arm is asked after all, and why."""
        return replace(self, rule=Rule.SINGLE, reason=reason, runners=(), worth=0.0, foreseen=self.alone)

    def within(self, bounds: Mapping[str, int]) -> "Sequencing":
        """The same where the arms' greatest costs are these, in nano-dollars by name."""
        return replace(self, runners=tuple(replace(each, bound=bounds[each.name]) for each in self.runners))

    def cascade(self, hold: int) -> Cascade:
        """The cascade to be run within a hold in nano-dollars."""
        return Cascade(self.runners, worth=self.worth, hold=hold, steps=len(self.runners))


def sequencing(
    rule: Rule,
    prospects: Sequence[Prospect],
    rates: Rates,
    weights: Weights,
    *,
    most: int = STEPS,
) -> Sequencing:
    """What CASCADE, RACE or AUTO comes to for a request whose arms are given best-ranked first; `most` arms run.

    Where none keeps the quality of the strongest arm and CASCADE is asked for, the one that is best by the request's
    weights will do, if it serves them better than the best-ranked arm, which is what would run instead.
    """
    strongest = strongest_of(prospects)
    single = Sequencing(Rule.SINGLE, rates, strongest.name, _alone(strongest), _alone(prospects[0]))
    if min(len(prospects), most) < 2:
        return replace(single, reason=ONE_ARM)
    if not rates.useful:
        return replace(single, reason=NOT_USEFUL)
    asked = _Asked(prospects, strongest, single, min(most, STEPS))
    found = [each for plan in _PLANS[rule] for each in plan(asked)]
    kept = bool(found)
    if not kept and rule is Rule.CASCADE:
        found = [*_weighed(asked)]
    if not found:
        return replace(single, reason=NO_GAIN)
    score = _scores(prospects, weights)
    best = max(found, key=lambda each: score(each.foreseen))
    if (rule is Rule.AUTO or not kept) and score(best.foreseen) <= score(single.foreseen):
        return replace(single, reason=NOT_BETTER)
    return best


def strongest_of(prospects: Iterable[Prospect]) -> Prospect:
    """The arm most believed in, the cheaper of equals."""
    return max(prospects, key=lambda each: (each.success, -each.cost))


def next_of(made: Sequencing, prospects: Sequence[Prospect], failed: Collection[str]) -> Sequencing:
    """What was planned, with the arm to ask after the answers of these arms failed the caller's check.

    A single arm, where no further one is worth what it costs. Failures of arms that are not in the plan count, too:
    they say how hard the task is.
    """
    if made.rule is not Rule.CASCADE:
        return made
    others = (each for each in prospects if each.name in failed and each.name not in made.arms)
    runners = (*made.runners, *(_runner(each, made.rates) for each in others))
    cascade = Cascade(runners, worth=made.worth, hold=sum(each.bound for each in runners), steps=len(runners))
    red = {each.name: each.sights[FAILING] for each in runners if each.name in failed}
    step = cascade.step(red)
    return replace(made, start=step) if isinstance(step, Start) else made.instead(GAINS_NO_MORE)


class _Asked(NamedTuple):
    """What is planned for."""

    prospects: Sequence[Prospect]
    strongest: Prospect
    single: Sequencing
    most: int

    def runners(self, loss: Callable[[Prospect], float]) -> list[Runner]:
        """The strongest arm first, then those that lose least for their success; at most `MOST_ARMS`."""
        front: list[Prospect] = []
        for each in sorted(self.prospects, key=lambda each: (loss(each), -each.success)):
            if not front or each.success > front[-1].success:
                front.append(each)
        weaker = [each for each in front if each.name != self.strongest.name]
        step = max(1.0, len(weaker) / (MOST_ARMS - 1))
        taken = [weaker[int(place * step)] for place in range(min(len(weaker), MOST_ARMS - 1))]
        return [_runner(each, self.single.rates) for each in (self.strongest, *taken)]


def _thriftiest(asked: _Asked) -> Iterator[Sequencing]:
    runners = asked.runners(_cost)
    yield from _cascaded(thriftiest(runners, runners[0], asked.single.rates, steps=asked.most), runners, asked)


def _finest(asked: _Asked) -> Iterator[Sequencing]:
    runners = asked.runners(_cost)
    yield from _cascaded(finest(runners, runners[0], asked.single.rates, steps=asked.most), runners, asked)


def _quickest(asked: _Asked) -> Iterator[Sequencing]:
    runners = asked.runners(_latency)
    plan = quickest(runners, runners[0], asked.single.rates, racers=min(asked.most, RACERS))
    if len(plan.arms) > 1:
        running = tuple(runner for name in plan.arms for runner in runners if runner.name == name)
        yield replace(asked.single, rule=Rule.RACE, foreseen=Outlook(*plan.foreseen), runners=running)


def _weighed(asked: _Asked) -> Iterator[Sequencing]:
    """Every cascade that is cheaper than the strongest arm alone."""
    runners, alone = asked.runners(_cost), asked.single.alone
    plans = {each.arms: each for each in cascades(tuple(runners), runners[0], asked.single.rates, asked.most)}
    for plan in plans.values():
        yield from (each for each in _cascaded(plan, runners, asked) if each.foreseen.cost < alone.cost)


_Planned = Callable[[_Asked], Iterator[Sequencing]]
_PLANS: Mapping[Rule, tuple[_Planned, ...]] = MappingProxyType(
    {
        Rule.CASCADE: (_thriftiest,),
        Rule.RACE: (_quickest,),
        Rule.AUTO: (_thriftiest, _finest, _quickest),
    }
)


def _cascaded(plan: CascadePlan, runners: Sequence[Runner], asked: _Asked) -> Iterator[Sequencing]:
    """The plan, unless it is an arm alone."""
    if len(plan.arms) < 2:
        return
    running = tuple(runner for name in plan.arms for runner in runners if runner.name == name)
    made = replace(asked.single, rule=Rule.CASCADE, runners=running, worth=plan.worth)
    takes = {each.name: each.latency_ms for each in asked.prospects}
    times = _Duration(made.cascade(sum(runner.bound for runner in running)), running, takes)
    yield replace(made, foreseen=Outlook(*plan.foreseen, times.after({}, (1 / LEVELS,) * LEVELS)))


class _Duration(NamedTuple):
    """How long a cascade is expected to go on."""

    cascade: Cascade
    runners: Sequence[Runner]
    takes: Mapping[str, float]

    def after(self, seen: Mapping[str, Seen], weights: Levels) -> float:
        """Milliseconds after these arms ended, times the probability that it comes to that."""
        step = self.cascade.step(seen)
        if not isinstance(step, Start):
            return 0.0
        runner = next(each for each in self.runners if each.name == step.arm)
        then = [self.after({**seen, step.arm: sight}, after(runner, sight, weights)) for sight in runner.sights]
        return self.takes[step.arm] * sum(weights) + sum(then)


def _runner(prospect: Prospect, rates: Rates) -> Runner:
    usd = prospect.cost / NANO_PER_USD
    takes = (max(1.0, prospect.latency_ms),)
    expected = chances(prospect.success, SLOPE)
    return Runner(prospect.name, expected, Given(usd, usd), prospect.bound, verdict_sights(rates), (takes, takes))


def _alone(prospect: Prospect) -> Outlook:
    return Outlook(prospect.success, prospect.cost / NANO_PER_USD, prospect.latency_ms)


def _scores(prospects: Sequence[Prospect], weights: Weights) -> Callable[[Outlook], float]:
    """The router's own score of what is foreseen, relative to the best, cheapest and quickest of single arms."""
    most = max(each.success for each in prospects) or 1.0
    least = max(1, min(each.cost for each in prospects)) / NANO_PER_USD
    quickest_ms = max(UNNOTICED_MS, min(each.latency_ms for each in prospects))

    def score(outlook: Outlook) -> float:
        dearer = log10(max(outlook.cost, least) / least)
        slower = log10(max(outlook.latency_ms, quickest_ms) / quickest_ms)
        return (
            weights.quality * outlook.quality / most
            + weights.cost * max(0.0, 1.0 - COST_LOSS_PER_TENFOLD * dearer)
            + weights.latency * max(0.0, 1.0 - LATENCY_LOSS_PER_TENFOLD * slower)
        )

    return score


def _cost(prospect: Prospect) -> float:
    return prospect.cost


def _latency(prospect: Prospect) -> float:
    return prospect.latency_ms
