"""Prices that moved: many amounts of one model differ while their tokens agree, and that is one finding, not many."""

from collections import defaultdict
from collections.abc import Sequence

from monkey_coder_server.domain.discrepancies import Both, Finding, FindingKind
from monkey_coder_server.domain.money import TOKENS_PER_PRICE_UNIT

FEWEST = 3
"""Fewer amounts that differ are single mistakes."""
_MEASURES = ("uncached_input", "cache_read", "cache_write", "output", "reasoning", "searches")

Judged = tuple[Both, Finding | None]


def with_drift(judged: Sequence[Judged]) -> list[Finding]:
    """The findings, those of a model whose price moved told as one.

    It moved on the first day since which most of what has the same tokens has another amount.
    """
    models: defaultdict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        models[each[0].model].append(each)
    findings: list[Finding] = []
    for model, several in models.items():
        drifted = _drifted(several)
        gone = {id(found) for _, found in drifted}
        findings += [found for _, found in several if found is not None and id(found) not in gone]
        if drifted:
            findings.append(_told(model, [both for both, _ in drifted]))
    return findings


def _drifted(several: Sequence[Judged]) -> list[Judged]:
    """Those whose amount differs since the price moved; none when it did not."""
    comparable = [
        (both, found)
        for both, found in several
        if both.amount and (found is None or found.kind is FindingKind.AMOUNT_DIFFERS)
    ]
    for day in sorted({both.day for both, found in comparable if found is not None}):
        since = [each for each in comparable if each[0].day >= day]
        off = [each for each in since if each[1] is not None]
        that_day = [each for each in since if each[0].day == day]
        most_of_that_day = 2 * sum(1 for each in that_day if each[1] is not None) > len(that_day)
        if len(off) >= FEWEST and 2 * len(off) > len(since) and most_of_that_day:
            return off
    return []


def _told(model: str, several: Sequence[Both]) -> Finding:
    first = min(each.day for each in several)
    return Finding(
        FindingKind.PRICE_DRIFT,
        f"{model} since {first}",
        first,
        model,
        sum(each.booked for each in several),
        sum(each.booked + each.delta for each in several),
        f"{len(several)} amounts since {first}: {_explained(several)}",
        tuple(row for each in several for row in each.rows),
    )


def _explained(several: Sequence[Both]) -> str:
    """What one price, moved by how much, would explain all of it."""
    if _proportional([(each.booked, each.delta, each.tolerance) for each in several]):
        booked = sum(each.booked for each in several)
        return f"all prices times {booked + sum(each.delta for each in several)}/{booked}"
    for measure in _MEASURES:
        counted = [(each.tokens.of(measure), each.delta, each.tolerance) for each in several]
        if _proportional(counted):
            tokens, delta = sum(each[0] for each in counted), sum(each[1] for each in counted)
            return f"{measure} about {delta * TOKENS_PER_PRICE_UNIT // tokens:+} nano-dollars a million"
    return "several prices"


def _proportional(points: Sequence[tuple[int, int, int]]) -> bool:
    """Whether all differences are the same multiple of a measure, within their tolerances: exact in integers."""
    size, delta, slack = max(points)
    return bool(size) and all(abs(d * size - delta * x) <= tolerance * size + slack * x for x, d, tolerance in points)
