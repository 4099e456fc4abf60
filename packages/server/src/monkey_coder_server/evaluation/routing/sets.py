"""Every figure of the protocol for one set, of the product's router and of its rivals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_server.evaluation.routing import baselines, fitted
from monkey_coder_server.evaluation.routing.data import Set
from monkey_coder_server.evaluation.routing.protocol import (
    Anchors,
    CallShare,
    Choices,
    Expectation,
    Figures,
    Judge,
    call_share,
    choices,
)
from monkey_coder_server.evaluation.routing.ridge import ridge
from monkey_coder_server.evaluation.routing.routers import Train, anchors, expectations
from monkey_coder_server.evaluation.routing.splits import Split


@dataclass(frozen=True, slots=True)
class SetReport:
    """The figures of one set. `low` and `high` bound the router's area less the static hull's, 5 to 95 %.

    `nearest` is None where most rows have no text, `calls` where there are not just two arms.
    """

    name: str
    rows: int
    arms: int
    anchors: Anchors
    router: Figures
    static: Figures
    kind_mean: Figures
    ridge: Figures
    oracle: Figures
    nearest: Figures | None
    low: float
    high: float
    calls: CallShare | None


def report(of: Set, splits: Sequence[Split], prices: Mapping[tuple[str, str], float]) -> SetReport:
    """Play every router on the set."""
    judge = Judge(of.rows, anchors(of, splits, prices))

    def expected(train: Train) -> list[Expectation]:
        return expectations(of, splits, prices, train)

    def played(expectation: Sequence[Expectation]) -> Choices:
        return choices(of.rows, of.arms, expectation)

    ours = expected(fitted.superposition)
    router, static = played(ours), played(expected(baselines.static))
    with_text = sum(row.context.text is not None for row in of.rows)
    near = judge.figures(played(expected(baselines.nearest))) if 2 * with_text > len(of.rows) else None
    low, high = judge.interval(router, static)
    return SetReport(
        of.name,
        len(of.rows),
        len(of.arms),
        judge.anchors,
        judge.figures(router),
        judge.figures(static),
        judge.figures(played(expected(baselines.kind_mean))),
        judge.figures(played(expected(ridge))),
        judge.figures(played(expected(baselines.oracle))),
        near,
        low,
        high,
        _calls(of, judge.anchors, ours) if len(of.arms) == 2 else None,
    )


def _calls(of: Set, by: Anchors, expected: Sequence[Expectation]) -> CallShare:
    cheap, strong = of.arms.index(by.cheap), of.arms.index(by.strong)
    return call_share(of.rows, by, [each.qualities[strong] - each.qualities[cheap] for each in expected])
