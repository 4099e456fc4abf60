"""Alerts: what an account wants to be told once when figures of its books cross a line. Money is nano-dollars.

A rule looks at figures and names what is crossed now. What was not crossed at the look before is news; a line that is
no longer crossed is armed again. Days and months are UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.domain.limits import Standing, Unit, period_name
from monkey_coder_server.domain.money import NANO_PER_CENT, usd

Facts = Mapping[str, str]
"""What is told of a crossing; money as decimal USD."""
WHOLE = 100
"""Percent."""


class AlertKind(StrEnum):
    """What is told; a webhook calls it by the same word."""

    BALANCE_BELOW = "balance.below"
    SPENT_DAY = "spent.day"
    SPENT_MONTH = "spent.month"
    LIMIT_SHARE = "limit.share"
    """A part of a spending limit, whoever holds it, is used up."""
    FROZEN = "account.frozen"
    INVOICE_OVERDUE = "invoice.overdue"
    TOP_UP_FAILED = "top_up.failed"


OF_MONEY = frozenset({AlertKind.BALANCE_BELOW, AlertKind.SPENT_DAY, AlertKind.SPENT_MONTH})
"""Kinds whose line is an amount."""
_COME_AGAIN = frozenset({AlertKind.BALANCE_BELOW, AlertKind.FROZEN})
"""Kinds whose crossings have no name of their own: they are told apart by their number."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`amount` is of the kinds of `OF_MONEY`, `percent` of `LIMIT_SHARE`; 0 for all others."""

    kind: AlertKind
    amount: int = 0
    percent: int = 0


@dataclass(frozen=True, slots=True)
class Owed:
    """An amount under a name: an overdue invoice, a payment that failed."""

    name: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the books say of an account at a moment; what no rule asks for is left empty.

    `frozen` is a word of `domain.payments.Freeze` or empty.
    """

    at: datetime
    balance: int = 0
    frozen: str = ""
    spent_day: int = 0
    spent_month: int = 0
    limits: tuple[Standing, ...] = ()
    overdue: tuple[Owed, ...] = ()
    failed_top_ups: tuple[Owed, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """What was crossed at the last look; `revision` counts the looks that found something else."""

    revision: int = 0
    crossed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Crossing:
    """A line that was crossed. No alert has two of one name."""

    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Look:
    """How an alert stands from now on, and what is news."""

    standing: AlertStanding
    news: tuple[Crossing, ...]


def wrong_with(rule: AlertRule) -> str:
    """What a rule cannot be, as the end of a sentence that begins with a field's name; empty for a good one."""
    if (rule.kind in OF_MONEY) != (rule.amount > 0):
        told = "must be above zero" if rule.kind in OF_MONEY else f"is not for {rule.kind}"
        return f"amount_usd {told}."
    if rule.kind is AlertKind.LIMIT_SHARE:
        return "" if 0 < rule.percent <= WHOLE else f"percent must be 1 to {WHOLE}."
    return f"percent is not for {rule.kind}." if rule.percent else ""


def look(rule: AlertRule, standing: AlertStanding, figures: Figures) -> Look | None:
    """What came of a look at the figures; None when all is as it was."""
    crossed = _CROSSED[rule.kind](rule, figures)
    if crossed.keys() == standing.crossed:
        return None
    revision = standing.revision + 1
    news = [
        Crossing(f"{name}:{revision}" if rule.kind in _COME_AGAIN else name, facts)
        for name, facts in crossed.items()
        if name not in standing.crossed
    ]
    return Look(AlertStanding(revision, frozenset(crossed)), tuple(news))


def _balance(rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    if figures.balance >= rule.amount:
        return {}
    return {"below": {"balance_usd": usd(figures.balance), "threshold_usd": usd(rule.amount)}}


def _spent_day(rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    return _spent(rule, figures.spent_day, cap_periods(figures.at)[0])


def _spent_month(rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    return _spent(rule, figures.spent_month, cap_periods(figures.at)[1])


def _spent(rule: AlertRule, spent: int, period: str) -> dict[str, Facts]:
    if spent <= rule.amount:
        return {}
    return {period: {"spent_usd": usd(spent), "threshold_usd": usd(rule.amount), "period": period}}


def _limits(rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    """A limit that is changed is another one."""
    return {
        _limit_name(each, figures.at): _limit_facts(each, rule, figures.at)
        for each in figures.limits
        if each.limit.allowed and each.spent * WHOLE >= each.limit.allowed * rule.percent
    }


def _limit_name(standing: Standing, at: datetime) -> str:
    limit = standing.limit
    holder, period = limit.holder, period_name(limit.period, at)
    return f"{holder.kind}:{holder.id}:{limit.model}:{limit.unit}:{period}:{limit.allowed}"


def _limit_facts(standing: Standing, rule: AlertRule, at: datetime) -> Facts:
    limit = standing.limit
    unit, told = ("usd", usd) if limit.unit is Unit.MONEY else ("tokens", str)
    return {
        "limit": limit.name,
        "holder": limit.holder.kind.value,
        "holder_id": limit.holder.id,
        "period": period_name(limit.period, at),
        "percent": str(rule.percent),
        f"spent_{unit}": told(standing.spent),
        f"limit_{unit}": told(limit.allowed),
        **({"model": limit.model} if limit.model else {}),
    }


def _frozen(_rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    return {figures.frozen: {"reason": figures.frozen}} if figures.frozen else {}


def _overdue(_rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    return {each.name: {"invoice_id": each.name, "total_usd": _cents(each)} for each in figures.overdue}


def _failed_top_ups(_rule: AlertRule, figures: Figures) -> dict[str, Facts]:
    return {each.name: {"top_up": each.name, "amount_usd": _cents(each)} for each in figures.failed_top_ups}


def _cents(owed: Owed) -> str:
    return usd(owed.cents * NANO_PER_CENT)


_CROSSED: Mapping[AlertKind, Callable[[AlertRule, Figures], dict[str, Facts]]] = {
    AlertKind.BALANCE_BELOW: _balance,
    AlertKind.SPENT_DAY: _spent_day,
    AlertKind.SPENT_MONTH: _spent_month,
    AlertKind.LIMIT_SHARE: _limits,
    AlertKind.FROZEN: _frozen,
    AlertKind.INVOICE_OVERDUE: _overdue,
    AlertKind.TOP_UP_FAILED: _failed_top_ups,
}
