"""Automatic top-up: when a saved card is charged, for how much, and after which failures no more.

Amounts are cents, because cards are charged in them; the balance is nano-dollars.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from monkey_coder_server.domain.money import NANO_PER_CENT

STRIKES = 3
"""So many payments in a row may fail; the last of them switches it off."""
PAUSES = (timedelta(hours=1), timedelta(days=1))
"""How long nothing is tried after the first and the second of them: a card that is asked too often gets blocked."""
LEAST_CENTS = 500
MOST_CENTS = 1_000_000
MOST_A_MONTH = 10_000_000


class TopUpState(StrEnum):
    """`OFF` is after too many failures; `REMOVED` is by its owner."""

    ON = "on"
    OFF = "off"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRule:
    """Buy `amount` whenever the balance is below `threshold`, at most `monthly_maximum` in a UTC month; all cents."""

    threshold: int
    amount: int
    monthly_maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpStanding:
    """A rule and what became of it. `sequence` counts payments begun; `charged` of `month` those that did not fail.

    `under_way`: the payment numbered `sequence` has no end yet. Nothing is begun before `not_before`.
    """

    rule: TopUpRule
    state: TopUpState = TopUpState.ON
    sequence: int = 0
    under_way: bool = False
    strikes: int = 0
    month: str = ""
    charged: int = 0
    not_before: datetime
    last_failure: str = ""


def wrong_with(rule: TopUpRule) -> str:
    """What a rule cannot be, as a sentence; empty for a good one.

    A threshold above the amount would charge twice in a row: after one payment the balance would still be below it.
    """
    if not LEAST_CENTS <= rule.amount <= MOST_CENTS:
        return f"`amount_usd` must be from {LEAST_CENTS // 100} to {MOST_CENTS // 100} USD."
    if not 0 < rule.threshold <= rule.amount:
        return "`threshold_usd` must be above 0 and not above `amount_usd`."
    if not rule.amount <= rule.monthly_maximum <= MOST_A_MONTH:
        return f"`monthly_maximum_usd` must be from `amount_usd` to {MOST_A_MONTH // 100} USD."
    return ""


def month_of(at: datetime) -> str:
    """The UTC month a payment counts for, as `2026-11`."""
    return f"{at.astimezone(UTC):%Y-%m}"


def charged_in(standing: TopUpStanding, month: str) -> int:
    """What was charged in a month, that which is under way included, as far as it is the newest month."""
    return standing.charged if standing.month == month else 0


def is_due(standing: TopUpStanding, *, balance: int, now: datetime) -> bool:
    """Whether a payment is to begin now."""
    rule = standing.rule
    return (
        standing.state is TopUpState.ON
        and not standing.under_way
        and standing.not_before <= now
        and balance < rule.threshold * NANO_PER_CENT
        and charged_in(standing, month_of(now)) + rule.amount <= rule.monthly_maximum
    )


def begun(standing: TopUpStanding, now: datetime) -> TopUpStanding:
    """After a payment for the rule's amount began, which counts at once: of many triggers none can pass the maximum."""
    month = month_of(now)
    return replace(
        standing,
        sequence=standing.sequence + 1,
        under_way=True,
        month=month,
        charged=charged_in(standing, month) + standing.rule.amount,
    )


def succeeded(standing: TopUpStanding) -> TopUpStanding:
    """After the payment under way was received: what failed before it is forgotten."""
    return replace(standing, under_way=False, strikes=0, last_failure="")


def failed(standing: TopUpStanding, *, cents: int, why: str, now: datetime) -> TopUpStanding:
    """After the payment under way, of so many cents, came to nothing: it counts for its month no more."""
    strikes = standing.strikes + 1
    out = strikes >= STRIKES and standing.state is TopUpState.ON
    return replace(
        standing,
        under_way=False,
        strikes=strikes,
        charged=standing.charged - cents,
        state=TopUpState.OFF if out else standing.state,
        not_before=now + PAUSES[min(strikes, len(PAUSES)) - 1],
        last_failure=why,
    )


def set_anew(standing: TopUpStanding | None, rule: TopUpRule, now: datetime) -> TopUpStanding:
    """After its owner set a rule: on, without strikes; what was charged this month and what is under way stay."""
    if standing is None:
        return TopUpStanding(rule=rule, not_before=now)
    return replace(standing, rule=rule, state=TopUpState.ON, strikes=0, not_before=now, last_failure="")


def removed(standing: TopUpStanding) -> TopUpStanding:
    """After its owner took it away. The row stays: a number of a payment is never used twice."""
    return replace(standing, state=TopUpState.REMOVED)
