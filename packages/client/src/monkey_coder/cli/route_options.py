"""Options that say which models answer, how many, and how one answer comes of theirs."""

from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

import click

from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES, COORDINATION_STRATEGIES, RoutingWeights

F = TypeVar("F", bound=Callable[..., Any])
_WEIGHED = ("quality", "cost", "latency")


class Weights(click.ParamType[RoutingWeights]):
    """How much quality, cost and latency count."""

    name = "weights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> RoutingWeights:
        """`quality=1,cost=0.3,latency=0`, in any order, none twice; what is left out counts nothing."""
        said: dict[str, float] = {}
        for piece in str(value).split(","):
            name, _, number = (part.strip() for part in piece.partition("="))
            try:
                weight = float(number)
            except ValueError:
                weight = -1.0
            if name not in _WEIGHED or name in said or not 0 <= weight < inf:
                self.fail(f"{value!r} must be like quality=1,cost=0.3,latency=0.", param, ctx)
            said[name] = weight
        if not any(said.values()):
            self.fail(f"{value!r} must have one number above 0.", param, ctx)
        return RoutingWeights(**said)


WEIGHTS = Weights()
_OPTIONS = (
    click.option(
        "--weights",
        type=WEIGHTS,
        metavar="WEIGHTS",
        help="How much each counts for the choice of a model: quality=1,cost=0.3,latency=0.",
    ),
    click.option(
        "--collapse",
        type=click.Choice(COLLAPSE_STRATEGIES),
        metavar="RULE",
        help="Ask several models, keep one answer: first_success, cheapest_valid, best_score, vote, consensus, "
        "weighted, cascade, race, hedge, auto; or single.",
    ),
    click.option(
        "--branches", type=click.IntRange(1, 10), metavar="N", help="How many models answer; 3 when left out."
    ),
    click.option("--agents", type=click.IntRange(1, 8), metavar="N", help="Let N agents work at one answer together."),
    click.option(
        "--coordination",
        type=click.Choice(COORDINATION_STRATEGIES),
        metavar="HOW",
        help="How agents work: sequential, parallel, collaborative, hierarchical.",
    ),
    click.option(
        "--reflections",
        type=click.IntRange(0, 5),
        metavar="N",
        help="Let agents criticise the answer and write it anew up to N times.",
    ),
)


def route_options(command: F) -> F:
    """Weights, rules for several answers, and agents."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
