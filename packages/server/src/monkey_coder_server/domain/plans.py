"""Plans: what an account pays by, and since when. Amounts are nano-dollars, fees whole cents.

Plans are data the operator writes; only the prepaid one is always there. What an account is on is a history of spans
that never overlap; where none covers a moment, it is on the prepaid plan.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

DEFAULT_PLAN = "prepaid"
INCLUDED_PRIORITY = 50
"""Credit that comes with a fee is spent before what was bought: it ends with its month."""
LARGEST_FEE = 100_000_000
"""Cents: a million USD a month."""
LARGEST_CREDIT = 1_000_000 * 1_000_000_000
"""A million USD."""
_MOST_PRIORITY = 1_000_000
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LONGEST_NAME = 80


class PlanKind(StrEnum):
    """How an account on a plan pays."""

    PREPAID = "prepaid"
    """It buys credit, and spends what it bought."""
    SUBSCRIPTION = "subscription"
    """It pays a fee each month, which gives credit for that month."""
    POSTPAID = "postpaid"
    """It spends up to a line of credit, and is invoiced for what it used of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an account can be on.

    `included_credit` is given for each paid month, ends with it, and is spent in the order of `included_priority`.
    `credit_line` is what an account that is put on it may owe, unless it is given another. `trial_credit` is what a new
    account starts with; None leaves that to the gateway's setting. `listed` plans are shown to customers from
    `offered_from` until `offered_until`; nobody is put on a plan outside these dates.

    Raises `ValueError`, saying which part cannot be.
    """

    plan_id: str
    name: str
    kind: PlanKind = PlanKind.PREPAID
    monthly_fee_cents: int = 0
    included_credit: int = 0
    included_priority: int = INCLUDED_PRIORITY
    credit_line: int = 0
    trial_credit: int | None = None
    listed: bool = True
    offered_from: datetime | None = None
    offered_until: datetime | None = None

    def __post_init__(self) -> None:
        for wrong, message in self._complaints():
            if wrong:
                raise ValueError(message)

    def _complaints(self) -> Iterable[tuple[bool, str]]:
        subscription, postpaid = self.kind is PlanKind.SUBSCRIPTION, self.kind is PlanKind.POSTPAID
        amounts = (self.included_credit, self.credit_line, self.trial_credit or 0)
        yield not _ID.fullmatch(self.plan_id), "A plan's id is 1 to 40 small letters, digits and inner hyphens."
        yield (
            not self.name.strip() or len(self.name) > _LONGEST_NAME or not self.name.isprintable(),
            f"A plan's name is 1 to {_LONGEST_NAME} printable characters.",
        )
        yield (
            not 0 <= self.monthly_fee_cents <= LARGEST_FEE or (self.monthly_fee_cents > 0) is not subscription,
            "A subscription has a monthly fee above zero and at most a million USD, and no other plan has one.",
        )
        yield any(not 0 <= amount <= LARGEST_CREDIT for amount in amounts), "Credit is from 0 to a million USD."
        yield self.included_credit > 0 and not subscription, "Only a subscription includes credit."
        yield self.credit_line > 0 and not postpaid, "Only a postpaid plan has a credit line."
        yield not 0 <= self.included_priority <= _MOST_PRIORITY, f"A priority is from 0 to {_MOST_PRIORITY}."
        yield (
            self.offered_from is not None and self.offered_until is not None and self.offered_until < self.offered_from,
            "A plan cannot be offered until before it is.",
        )
        yield (
            self.plan_id == DEFAULT_PLAN and (self.kind is not PlanKind.PREPAID or self.offered_until is not None),
            f"The plan {DEFAULT_PLAN} is prepaid and always there.",
        )

    def offered(self, at: datetime) -> bool:
        """Whether an account can be put on it at a moment."""
        begun = self.offered_from is None or self.offered_from <= at
        return begun and (self.offered_until is None or at < self.offered_until)


PREPAID = Plan(plan_id=DEFAULT_PLAN, name="Prepaid")
"""What there is when nobody wrote a plan of that id."""


def with_default(plans: Iterable[Plan]) -> tuple[Plan, ...]:
    """All plans, the prepaid one first, which is there whether or not it was written."""
    written = {plan.plan_id: plan for plan in plans}
    first = written.pop(DEFAULT_PLAN, PREPAID)
    return (first, *[written[plan_id] for plan_id in sorted(written)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpan:
    """An account on a plan from `starts_at` until before `ends_at`; None for no end. `source` is who put it there."""

    plan_id: str
    starts_at: datetime
    ends_at: datetime | None = None
    source: str = ""

    @property
    def empty(self) -> bool:
        """Whether it covers no moment."""
        return self.ends_at is not None and self.ends_at <= self.starts_at

    def covers(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


def plan_at(history: Iterable[PlanSpan], at: datetime) -> str:
    """The plan of a moment."""
    return next((span.plan_id for span in history if span.covers(at)), DEFAULT_PLAN)


def put_on(history: Sequence[PlanSpan], span: PlanSpan) -> tuple[PlanSpan, ...]:
    """The history with a span in it, oldest first. Whatever it had from the span's start on makes room.

    What ended before stays as it was: the past is never written anew. An empty span ends what runs at its start.
    """
    before = [
        each if each.ends_at is not None and each.ends_at <= span.starts_at else replace(each, ends_at=span.starts_at)
        for each in history
        if each.starts_at < span.starts_at
    ]
    added = () if span.empty else (span,)
    return (*sorted(before, key=lambda each: each.starts_at), *added)


def follow(history: Sequence[PlanSpan], span: PlanSpan) -> tuple[PlanSpan, ...]:
    """The history brought to what a source says now (`span.starts_at`) of the plan it pays for, and until when.

    What is over stays over, also where the source says so late: nothing before now changes. Whatever another source
    decided since is left alone while it lasts.
    """
    now = span.starts_at
    mine = max((each for each in history if each.source == span.source), key=_start, default=None)
    current = next((each for each in history if each.covers(now)), None)
    if mine is not None and current is not None and current.starts_at > mine.starts_at:
        return tuple(history)
    if span.empty:
        return put_on(history, span) if current is mine else tuple(history)
    if mine is not None and mine is current and mine.plan_id == span.plan_id and mine.starts_at < now:
        return put_on([each for each in history if each is not mine], replace(span, starts_at=mine.starts_at))
    return put_on(history, span)


def _start(span: PlanSpan) -> datetime:
    return span.starts_at
