"""When a balance runs out, and what the rest of a month will cost, from what was spent on past days. Nano-dollars.

Estimates, not charges, so they are reckoned in floating point and rounded to whole nano-dollars at the end. The method,
and how often its intervals held, stands in `docs/decisions/0062-usage-reports.md`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

PROBABILITY = 0.8
"""How often what comes lies within the interval, as far as the days to come are like those that were."""
LEAST_DAYS = 21
"""Three weeks. Fewer say nothing of what weeks differ by."""
LEAST_SPENDING_DAYS = 5
MOST_DAYS = 84
"""Older days are not looked at."""
FURTHEST = 365
"""Days ahead; what lasts longer is not told."""
WEEK = 7
HALF_LIFE = 7.0
"""Days after which a day counts half for the level."""
_Z = 1.2815515655446004
"""The normal distribution has `PROBABILITY` of its mass within so many standard deviations."""
_PSEUDO_WEEKS = 2.0
"""A weekday is taken for an ordinary one until so many of it have said otherwise."""
_FENCE = 3.0
"""A day this many interquartile ranges above the upper quartile is a spike (Tukey's outer fence)."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is expected, and an interval around it."""

    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True)
class RunsOut:
    """Whole days from today, 0 for today, until a balance is used up; None: not within `FURTHEST` days."""

    earliest: int | None
    expected: int | None
    latest: int | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How an account spends: what days of each weekday cost, how much days differ from that, how sure the level is.

    `factors` are by weekday, Monday first, and 1 on average. Variances: `noise` of one day, `doubt` of the level as it
    is known, `wander` of what the level moves by in a day. `idle` is the part of days without spend.
    """

    level: float
    factors: tuple[float, ...]
    noise: float
    doubt: float
    wander: float
    idle: float
    days: int

    def mean(self, weekday: int, days: float) -> float:
        """What so many days cost from the beginning of a weekday on; a part of a day costs a part of it."""
        weeks, left = divmod(days, WEEK)
        whole = int(left)
        sums = sum(self.factors[(weekday + each) % WEEK] for each in range(whole))
        return self.level * (weeks * WEEK + sums + (left - whole) * self.factors[(weekday + whole) % WEEK])


def pace(history: Sequence[int], next_weekday: int) -> Pace | None:
    """The pace of whole days, oldest first, the last of them before a `next_weekday` (0 is Monday).

    None where there is not enough to tell: an interval would be made up.
    """
    days = [float(spent) for spent in known(history)]
    if len(days) < LEAST_DAYS or sum(1 for spent in days if spent) < LEAST_SPENDING_DAYS:
        return None
    weekdays = [(next_weekday - len(days) + number) % WEEK for number in range(len(days))]
    fence = _fence(days)
    usual = [min(spent, fence) for spent in days]
    spikes = (sum(days) - sum(usual)) / len(days)
    factors = _factors(usual, weekdays)
    weights = [0.5 ** ((len(days) - number) / HALF_LIFE) for number in range(len(days))]
    counted = sum(weight * factors[weekday] for weight, weekday in zip(weights, weekdays, strict=True))
    level = sum(weight * spent for weight, spent in zip(weights, usual, strict=True)) / counted + spikes
    errors = [spent - level * factors[weekday] for spent, weekday in zip(days, weekdays, strict=True)]
    noise = sum(error * error for error in errors) / (len(days) - 2)
    seen = sum(weights) ** 2 / sum(weight * weight for weight in weights)
    return Pace(
        level=level,
        factors=factors,
        noise=noise,
        doubt=noise / seen + _doubt(errors, noise),
        wander=_wander(days, noise),
        idle=sum(1 for spent in days if not spent) / len(days),
        days=len(days),
    )


def known(history: Sequence[int]) -> Sequence[int]:
    """The days that say something: from the first with spend on, and the newest `MOST_DAYS` of them."""
    first = next((number for number, spent in enumerate(history) if spent), len(history))
    return history[first:][-MOST_DAYS:]


def spend(found: Pace, weekday: int, days: float, *, begun: float) -> Span:
    """What is spent in `days` from a moment of a weekday on, of which a part `begun` (0 to 1) is over."""
    mean = found.mean(weekday, begun + days) - found.mean(weekday, begun)
    if mean <= 0:
        return Span(0, 0, 0)
    wide = _spread(found, days, mean)
    middle = math.log(mean) - wide * wide / 2
    reach = _reach(found.days) * wide
    idle = found.idle**days > (1 - PROBABILITY) / 2
    return Span(0 if idle else round(math.exp(middle - reach)), round(mean), round(math.exp(middle + reach)))


def runs_out(found: Pace, weekday: int, balance: int, *, begun: float) -> RunsOut:
    """When what is spent from a moment of a weekday on comes to a balance. An empty one is used up today."""
    ends: list[int | None] = [None, None, None]
    for day in range(FURTHEST):
        until = spend(found, weekday, day + 1 - begun, begun=begun)
        for number, spent in enumerate((until.high, until.expected, until.low)):
            if ends[number] is None and spent >= balance:
                ends[number] = day
        if ends[2] is not None:
            break
    return RunsOut(*ends)


def _fence(days: Sequence[float]) -> float:
    """What no usual day costs more than."""
    spending = sorted(spent for spent in days if spent)
    lower, upper = _quantile(spending, 0.25), _quantile(spending, 0.75)
    return upper + _FENCE * (upper - lower)


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _factors(usual: Sequence[float], weekdays: Sequence[int]) -> tuple[float, ...]:
    """What days of a weekday cost, as a part of what days cost; near 1 while little is known."""
    mean = sum(usual) / len(usual)
    sums, counts = [0.0] * WEEK, [0] * WEEK
    for spent, weekday in zip(usual, weekdays, strict=True):
        sums[weekday] += spent
        counts[weekday] += 1
    raw = [(sums[each] + _PSEUDO_WEEKS * mean) / (counts[each] + _PSEUDO_WEEKS) for each in range(WEEK)]
    return tuple(each * WEEK / sum(raw) for each in raw)


def _doubt(errors: Sequence[float], noise: float) -> float:
    """The variance of the level from week to week: what weeks differ by beyond what their days do."""
    weeks = _weeks(errors)
    variance = sum(each * each for each in weeks) / len(weeks)
    return max(0.0, variance - noise / WEEK)


def _wander(days: Sequence[float], noise: float) -> float:
    """The variance of what the level moves by in a day: what weeks further apart differ by more."""
    weeks, found = _weeks(days), 0.0
    for apart in (1, 2, 4):
        moves = [later - earlier for later, earlier in zip(weeks, weeks[apart:], strict=False)]
        if len(moves) > 1:
            moved = sum(move * move for move in moves) / len(moves) - 2 * noise / WEEK
            found = max(found, moved / (apart * WEEK))
    return found


def _weeks(days: Sequence[float]) -> list[float]:
    """The mean day of each whole week, newest first."""
    return [sum(days[end - WEEK : end]) / WEEK for end in range(len(days), WEEK - 1, -WEEK)]


def _spread(found: Pace, days: float, mean: float) -> float:
    """The standard deviation of the logarithm of a sum of days: a sum is positive, and above its mean more than below.

    Noise of days evens out over many of them; what the level is off by does not, and where it moves to even grows.
    """
    variance = days * found.noise + days * days * (found.doubt + found.wander * days / 3)
    return math.sqrt(math.log1p(variance / (mean * mean)))


def _reach(days: int) -> float:
    """Standard deviations an interval reaches to: more where they were learnt of few days (Student's t)."""
    return _Z * (1 + (_Z * _Z + 1) / (4 * (days - 2)))
