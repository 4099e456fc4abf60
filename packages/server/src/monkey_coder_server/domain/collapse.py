"""How several answers to one request become one: which arms are asked, when that is enough, and which answer is kept.

The rules are those the native API names. An answer *passes* when the checks that apply to it found nothing wrong.
`first_success` keeps the first that passes, `cheapest_valid` asks one arm after the other, cheapest first, and keeps
the first that passes; `best_score` waits for all and keeps the passing answer of the arm most believed in;
`consensus` keeps what enough answers agree on, `weighted` what the arms believed in most, taken together, agree on.
`vote` keeps what more of the passing answers vote for than for anything else (`domain/ballots.py`); of as many votes
those of the arms believed in most, taken together, then the cheapest answer's, count more, and that is said.
Where none passes, or too few agree, the answer of the arm most believed in is kept, and that is said.
`hedge` asks a second arm only when the first is late to speak, and keeps whichever speaks first: that is decided before
there are answers, so nothing of it is here but its name and what it is expected to cost.

`cascade`, `race` and `auto` leave to the router which arms are asked in which order, and whether more than one is
(`domain/sequencing.py`): it comes to a cascade, a race or a single arm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.agreement import groups
from monkey_coder_server.domain.ballots import Call, ballot

DEFAULT_BRANCHES = 3
HEDGED = 0.05
"""The share of requests whose first arm is late by the rule of the hedge: later than 95 % of them."""
DEFAULT_THRESHOLD = 0.5
"""The share of the answers that must agree where the caller names none: as many as not."""


class Rule(StrEnum):
    """By what one answer is kept."""

    FIRST_SUCCESS = "first_success"
    CHEAPEST_VALID = "cheapest_valid"
    HEDGE = "hedge"
    BEST_SCORE = "best_score"
    CONSENSUS = "consensus"
    WEIGHTED = "weighted"
    VOTE = "vote"
    SINGLE = "single"
    CASCADE = "cascade"
    RACE = "race"
    AUTO = "auto"


RULES: Mapping[str, Rule] = MappingProxyType({**{rule.value: rule for rule in Rule}, "weighted_average": Rule.WEIGHTED})
"""By the names callers use; published clients say `weighted_average`, and texts have no average."""
SATISFIED_EARLY = frozenset({Rule.FIRST_SUCCESS, Rule.CHEAPEST_VALID, Rule.RACE, Rule.CASCADE})
PLANNED = frozenset({Rule.CASCADE, Rule.RACE, Rule.AUTO})
"""Rules by which the router plans what is asked; a cascade is also decided by it, step by step."""
IN_TURN = frozenset({Rule.CHEAPEST_VALID, Rule.CASCADE})


@dataclass(frozen=True, slots=True)
class Collapse:
    """What a caller asks for.

    `branches` arms are asked, at once when `parallel`. `threshold` is the share that must agree for a consensus.
    `doubt` asks several only where the leading arm is believed to fail more often than that; None asks always.
    """

    rule: Rule = Rule.WEIGHTED
    branches: int = DEFAULT_BRANCHES
    parallel: bool = True
    threshold: float = DEFAULT_THRESHOLD
    doubt: float | None = None

    @property
    def at_once(self) -> int:
        """How many arms may run at the same time."""
        return self.branches if self.parallel and self.rule not in IN_TURN else 1

    def wanted_for(self, success: float) -> bool:
        """Whether more than one arm is worth asking, given how often the leading one is believed to succeed."""
        return self.rule is not Rule.SINGLE and self.branches > 1 and (self.doubt is None or 1.0 - success > self.doubt)


class Told(NamedTuple):
    """One answer as a rule sees it: `success` is what was believed of its arm, `cost` its price in nano-dollars.

    `text` is all it says, the `calls` it makes included.
    """

    passed: bool
    success: float
    cost: int
    text: str
    calls: tuple[Call, ...] = ()


class Kept(NamedTuple):
    """The place of the answer that is kept.

    `agreement` is the share of the answers that say the same, None where none was looked for. `met` False: none
    passed, or too few agreed, so that it is only the one most believed in; or a vote was a tie.
    """

    place: int
    agreement: float | None
    met: bool


def decided(collapse: Collapse, told: Sequence[Told]) -> bool:
    """Whether these answers are enough, so that no further arm needs to be asked or waited for."""
    if len(told) >= collapse.branches:
        return True
    if collapse.rule in SATISFIED_EARLY:
        return any(each.passed for each in told)
    if collapse.rule is Rule.CONSENSUS:
        return any(len(group) >= _enough(collapse, collapse.branches) for group in _passing(told))
    if collapse.rule is Rule.VOTE:
        first, second = _two_most(_votes(told))
        return first > second + collapse.branches - len(told)
    return False


def keep(collapse: Collapse, told: Sequence[Told]) -> Kept:
    """Which of the answers, in the order they came, is kept. There must be one."""
    passing = [place for place, each in enumerate(told) if each.passed]
    if not passing:
        return Kept(_most_believed(told, range(len(told))), None, met=False)
    if collapse.rule in SATISFIED_EARLY:
        return Kept(passing[0], None, met=True)
    if collapse.rule is Rule.BEST_SCORE:
        return Kept(_most_believed(told, passing), None, met=True)
    if collapse.rule is Rule.VOTE:
        return _elected(told)
    weigh: Callable[[Sequence[int]], float] = len if collapse.rule is Rule.CONSENSUS else _belief_in(told)
    agreed = max(_passing(told), key=weigh)
    agreement = len(agreed) / len(told)
    if collapse.rule is Rule.CONSENSUS and len(agreed) < _enough(collapse, len(told)):
        return Kept(_most_believed(told, passing), agreement, met=False)
    return Kept(_most_believed(told, agreed), agreement, met=True)


def expected_cost(collapse: Collapse, costs: Sequence[int], successes: Sequence[float]) -> int:
    """What arms of such expected costs and successes come to together, in the order they are asked."""
    if collapse.rule is Rule.HEDGE:
        return ceil(costs[0] + HEDGED * sum(costs[1:]))
    if collapse.at_once > 1 or collapse.rule not in SATISFIED_EARLY:
        return sum(costs)
    total, reached = 0.0, 1.0
    for cost, success in zip(costs, successes, strict=True):
        total += reached * cost
        reached *= 1.0 - success
    return ceil(total)


def _enough(collapse: Collapse, answers: int) -> int:
    return max(1, ceil(collapse.threshold * answers))


def _passing(told: Sequence[Told]) -> list[list[int]]:
    """Groups of passing answers that agree, by their places among all."""
    places = [place for place, each in enumerate(told) if each.passed]
    return [[places[one] for one in group] for group in groups([told[place].text for place in places])]


def _votes(told: Sequence[Told]) -> list[list[int]]:
    """The places of passing answers that vote alike, in the order of their first."""
    found: dict[tuple[str, ...], list[int]] = {}
    for place, each in enumerate(told):
        if each.passed:
            found.setdefault(ballot(each.text, each.calls), []).append(place)
    return list(found.values())


def _two_most(votes: Sequence[Sequence[int]]) -> tuple[int, int]:
    """The votes for the first and for the second."""
    first, second, *_ = *sorted(map(len, votes), reverse=True), 0, 0
    return first, second


def _elected(told: Sequence[Told]) -> Kept:
    votes, belief = _votes(told), _belief_in(told)
    chosen = max(votes, key=lambda group: (len(group), belief(group), -min(told[place].cost for place in group)))
    first, second = _two_most(votes)
    return Kept(_most_believed(told, chosen), len(chosen) / len(told), met=first > second)


def _most_believed(told: Sequence[Told], places: Sequence[int]) -> int:
    """The cheapest of those most believed in; the earliest of equals."""
    return max(places, key=lambda place: (told[place].success, -told[place].cost, -place))


def _belief_in(told: Sequence[Told]) -> Callable[[Sequence[int]], float]:
    return lambda group: sum(told[place].success for place in group)
