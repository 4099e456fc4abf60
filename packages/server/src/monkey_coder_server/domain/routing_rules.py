"""Rules by which another router would have chosen among the candidates of a logged decision."""

from collections.abc import Callable, Sequence
from math import log10
from typing import NamedTuple

from monkey_coder_server.domain.routing import COST_LOSS_PER_TENFOLD, LATENCY_LOSS_PER_TENFOLD, UNNOTICED_MS


class Option(NamedTuple):
    """A candidate with what was expected of it: quality 0 to 1, nano-dollars, milliseconds; and its propensity."""

    arm: str
    quality: float
    cost: float
    latency_ms: float
    propensity: float


Rule = Callable[[Sequence[Option]], Sequence[float]]
"""For each candidate the probability of being played; all 0 where none of them is the rule's."""


def logged(options: Sequence[Option]) -> Sequence[float]:
    """As it was."""
    return [option.propensity for option in options]


def cheapest(options: Sequence[Option]) -> Sequence[float]:
    """What was expected to cost least."""
    return _only(options, lambda option: (-option.cost, option.quality))


def best(options: Sequence[Option]) -> Sequence[float]:
    """What was believed to be best, whatever it costs; of equals the cheaper."""
    return _only(options, lambda option: (option.quality, -option.cost))


def single(arm: str) -> Rule:
    """Always one arm."""
    return lambda options: [float(option.arm == arm) for option in options]


def weighted(quality: float, cost: float, latency: float) -> Rule:
    """The best by weights of quality, cost and latency, scored as the router scores; only their ratios count."""

    def choose(options: Sequence[Option]) -> Sequence[float]:
        most = max(option.quality for option in options) or 1.0
        least = max(1.0, min(option.cost for option in options))
        quickest = max(UNNOTICED_MS, min(option.latency_ms for option in options))

        def utility(option: Option) -> tuple[float, float]:
            dearer = log10(max(1.0, option.cost / least))
            slower = log10(max(1.0, option.latency_ms / quickest))
            score = (
                quality * option.quality / most
                + cost * max(0.0, 1.0 - COST_LOSS_PER_TENFOLD * dearer)
                + latency * max(0.0, 1.0 - LATENCY_LOSS_PER_TENFOLD * slower)
            )
            return score, -option.cost

        return _only(options, utility)

    return choose


def _only(options: Sequence[Option], worth: Callable[[Option], tuple[float, float]]) -> Sequence[float]:
    chosen = max(range(len(options)), key=lambda place: worth(options[place]))
    return [float(place == chosen) for place in range(len(options))]
