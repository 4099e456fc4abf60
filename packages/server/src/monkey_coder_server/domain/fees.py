"""Fees an invoice ascribes to no model (web searches): our books have them in the costs of the models that searched."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from monkey_coder_server.domain.discrepancies import Both
from monkey_coder_server.domain.invoices import Invoiced

ALL_MODELS = "all models"


def with_fees(sums: Sequence[Both], fees: Mapping[str, Sequence[Invoiced]], resolution: int) -> list[Both]:
    """The sums with each day's fees shared out by how often each model searched, and the count of searches beside.

    Fees of a day on which nobody searched by our books stand alone.
    """
    kept: list[Both] = []
    days: defaultdict[str, list[Both]] = defaultdict(list)
    for each in sums:
        (days[each.day] if each.day in fees else kept).append(each)
    for day, lines in fees.items():
        told: Counter[str] = Counter()
        for line in lines:
            told.update(dict(line.tokens))
        amount = sum(line.amount or 0 for line in lines)
        searched = sum(each.tokens.searches for each in days[day])
        kept += [_with_share(each, amount, searched, len(lines) * resolution) for each in days[day]]
        rows = tuple(row for each in days[day] for row in each.rows if row.tokens.searches)
        alone = None if searched else amount
        kept.append(Both(f"{day} {ALL_MODELS}", day, ALL_MODELS, rows, dict(told), alone, len(lines) * resolution))
    return kept


def _with_share(each: Both, amount: int, searched: int, slack: int) -> Both:
    share = each.tokens.searches
    if not share or each.amount is None:
        return each
    return replace(each, amount=each.amount + amount * share // searched, tolerance=each.tolerance + slack + 1)
