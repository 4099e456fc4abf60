"""Requests that began before midnight and ended after it: the two sides count them on neighbouring days."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from monkey_coder_server.domain.discrepancies import Both, judge


def without_midnight(sums: Sequence[Both]) -> list[Both]:
    """The sums, with two neighbouring days of a model as one where each differs and both together agree."""
    kept: list[Both] = []
    for each in sorted(sums, key=lambda both: (both.model, both.day)):
        before = kept[-1] if kept else None
        if before is not None and _neighbours(before, each) and _differs(before) and _differs(each):
            together = _together(before, each)
            if not _differs(together):
                kept[-1] = together
                continue
        kept.append(each)
    return kept


def _neighbours(one: Both, other: Both) -> bool:
    return one.model == other.model and (date.fromisoformat(other.day) - date.fromisoformat(one.day)).days == 1


def _differs(both: Both) -> bool:
    lone = not both.rows or not (both.told or both.amount is not None)
    return lone or judge(both) is not None


def _together(one: Both, other: Both) -> Both:
    told = Counter(dict(one.told))
    told.update(dict(other.told))
    amounts = [each.amount for each in (one, other) if each.amount is not None]
    return replace(
        other,
        rows=(*one.rows, *other.rows),
        told=dict(told),
        amount=sum(amounts) if amounts else None,
        tolerance=one.tolerance + other.tolerance,
        currency=one.currency if one.currency != "USD" else other.currency,
    )
