"""What another rule would have come to by what was expected of its arms: the direct method of off-policy evaluation.

Every decision counts, also where the rule's arm could not have been played; so the estimate is as good as the model it
rests on. What was expected of an arm is calibrated by what outcomes of arms that were played came to: by the ratio of
all outcomes, moved to the arm's own as it was played (Dudík, Langford and Li, 2011, section 2.1, name the bias).

The interval is a bootstrap of blocks of decisions that follow each other, as those of one conversation are alike. In
each draw the ratio of an arm that was not played is that of another arm, so that not knowing it counts.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

OWN_ROWS = 10.0
"""All arms' ratio weighs as much as so many outcomes of an arm."""
BLOCKS = 100
DRAWS = 400
TAIL = 0.05
"""Of the draws on either side of the interval."""


class Case(NamedTuple):
    """A logged decision under another rule.

    `expected` is what was expected of each arm the rule plays, times the probability with which it does; none where
    the rule had no arm to play. `outcome` is what the arm that was played came to, None where nobody told;
    `expected_of_played` what was expected of it.
    """

    expected: Mapping[str, float]
    played: str
    expected_of_played: float
    outcome: float | None


@dataclass(frozen=True, slots=True)
class Modelled:
    """A mean by the model; the truth is between `low` and `high` nine times of ten if the model is right.

    `coverage` is the share of decisions in which the rule had an arm to play, `calibrated` the share of the estimate
    that comes from arms with outcomes of their own, `ratio` that of all outcomes to what was expected of them.
    """

    rows: int
    outcomes: int
    coverage: float
    calibrated: float
    ratio: float
    value: float
    low: float
    high: float


@dataclass(slots=True)
class _Seen:
    """Outcomes of an arm, their sum and the sum of what was expected of them."""

    rows: int = 0
    outcome: float = 0.0
    expected: float = 0.0

    def take(self, rows: int, outcome: float, expected: float) -> None:
        self.rows += rows
        self.outcome += outcome
        self.expected += expected


def _seen() -> dict[str, _Seen]:
    return defaultdict(_Seen)


@dataclass(slots=True)
class _Sums:
    """Of some decisions: how many the rule has an arm in, what is expected of each arm it plays, what was seen."""

    covered: int = 0
    asked: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    seen: dict[str, _Seen] = field(default_factory=_seen)

    def add(self, case: Case) -> None:
        if case.expected:
            self.covered += 1
        for arm, expected in case.expected.items():
            self.asked[arm] += expected
        if case.outcome is not None:
            self.seen[case.played].take(1, case.outcome, case.expected_of_played)

    def merge(self, other: "_Sums") -> None:
        self.covered += other.covered
        for arm, expected in other.asked.items():
            self.asked[arm] += expected
        for arm, each in other.seen.items():
            self.seen[arm].take(each.rows, each.outcome, each.expected)

    def ratio(self) -> float:
        expected = sum(each.expected for each in self.seen.values())
        return sum(each.outcome for each in self.seen.values()) / expected if expected else 1.0

    def mean(self, commons: Mapping[str, float], common: float) -> float:
        """The estimate; `commons` has the ratio that stands for an arm's own where that is another than all arms'."""
        total = 0.0
        for arm, expected in self.asked.items():
            total += expected * _ratio(self.seen.get(arm), commons.get(arm, common))
        return total / self.covered


def modelled(cases: Sequence[Case], uniform: Callable[[], float]) -> Modelled | None:
    """What the other rule would have come to on average; None where it never had an arm or nobody told anything.

    `uniform` draws from 0 up to but not 1, for the bootstrap.
    """
    blocks = _blocks(cases)
    whole = _together(blocks)
    outcomes = sum(each.rows for each in whole.seen.values())
    if not whole.covered or not outcomes:
        return None
    ratio = whole.ratio()
    asked = sum(whole.asked.values())
    own = sum(expected for arm, expected in whole.asked.items() if _is_known(whole.seen.get(arm)))
    draws = _draws(blocks, whole, uniform)
    return Modelled(
        rows=len(cases),
        outcomes=outcomes,
        coverage=whole.covered / len(cases),
        calibrated=own / asked if asked else 0.0,
        ratio=ratio,
        value=whole.mean({}, ratio),
        low=draws[int(TAIL * len(draws))],
        high=draws[-1 - int(TAIL * len(draws))],
    )


def _draws(blocks: Sequence[_Sums], whole: _Sums, uniform: Callable[[], float]) -> list[float]:
    """The estimate of each draw of blocks in which the rule had an arm, least first."""
    unknown = sorted(arm for arm in whole.asked if not _is_known(whole.seen.get(arm)))
    known = sorted(arm for arm, each in whole.seen.items() if _is_known(each))
    found = []
    for _ in range(DRAWS):
        drawn = _together([blocks[int(uniform() * len(blocks))] for _ in blocks])
        common = drawn.ratio()
        ratios = [_ratio(drawn.seen.get(arm), common) for arm in known] or [common]
        commons = {arm: ratios[int(uniform() * len(ratios))] for arm in unknown}
        if drawn.covered:
            found.append(drawn.mean(commons, common))
    return sorted(found)


def _blocks(cases: Sequence[Case]) -> list[_Sums]:
    """The cases in at most so many stretches of the same length."""
    count = min(BLOCKS, len(cases))
    blocks = [_Sums() for _ in range(count)]
    for place, case in enumerate(cases):
        blocks[place * count // len(cases)].add(case)
    return blocks


def _together(blocks: Sequence[_Sums]) -> _Sums:
    total = _Sums()
    for block in blocks:
        total.merge(block)
    return total


def _is_known(seen: _Seen | None) -> bool:
    return seen is not None and seen.rows >= OWN_ROWS


def _ratio(seen: _Seen | None, common: float) -> float:
    """An arm's outcomes to what was expected of them, believed over that of all as far as it was played."""
    if seen is None or not seen.expected:
        return common
    added = OWN_ROWS * seen.expected / seen.rows
    return (seen.outcome + added * common) / (seen.expected + added)
