"""When a saved card is charged: below the threshold, once at a time, within the month, until three failures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain import top_ups
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.top_ups import PAUSES, STRIKES, TopUpRule, TopUpStanding, TopUpState

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULE = TopUpRule(threshold=1_000, amount=2_500, monthly_maximum=6_000)
NEW = top_ups.set_anew(None, RULE, NOON)
BELOW = 1_000 * NANO_PER_CENT - 1


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ""),
        ({"amount": 499, "threshold": 100}, "`amount_usd`"),
        ({"amount": 1_000_001, "monthly_maximum": 2_000_000}, "`amount_usd`"),
        ({"threshold": 0}, "`threshold_usd`"),
        ({"threshold": 2_501}, "`threshold_usd`"),
        ({"monthly_maximum": 2_499}, "`monthly_maximum_usd`"),
        ({"monthly_maximum": 10_000_001}, "`monthly_maximum_usd`"),
    ],
)
def test_a_rule_is_within_its_bounds(changes: dict[str, int], names: str) -> None:
    assert top_ups.wrong_with(replace(RULE, **changes)).startswith(names)
    assert bool(names) == bool(top_ups.wrong_with(replace(RULE, **changes)))


def test_a_payment_is_due_below_the_threshold_and_not_at_it() -> None:
    assert top_ups.is_due(NEW, balance=BELOW, now=NOON)
    assert not top_ups.is_due(NEW, balance=BELOW + 1, now=NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": TopUpState.OFF},
        {"state": TopUpState.REMOVED},
        {"under_way": True},
        {"not_before": NOON + timedelta(seconds=1)},
        {"month": "2026-11", "charged": 3_501},
    ],
)
def test_none_is_due_while_something_stands_against_it(changes: dict[str, Any]) -> None:
    assert not top_ups.is_due(replace(NEW, **changes), balance=0, now=NOON)


def test_the_maximum_is_of_a_month_and_exact() -> None:
    full = replace(NEW, month="2026-11", charged=3_500)
    assert top_ups.is_due(full, balance=0, now=NOON)
    assert top_ups.begun(full, NOON).charged == 6_000
    december = NOON + timedelta(days=10)
    assert top_ups.is_due(replace(full, charged=6_000), balance=0, now=december)
    begun = top_ups.begun(replace(full, charged=6_000), december)
    assert (begun.month, begun.charged, begun.sequence, begun.under_way) == ("2026-12", 2_500, 1, True)


def test_three_failures_in_a_row_switch_it_off_and_each_gives_its_part_of_the_month_back() -> None:
    standing, now = NEW, NOON
    for number in (1, 2, 3):
        standing = top_ups.failed(top_ups.begun(standing, now), cents=2_500, why="declined", now=now)
        assert (standing.strikes, standing.charged, standing.under_way) == (number, 0, False)
        assert standing.not_before == now + PAUSES[min(number, 2) - 1]
        assert standing.state is (TopUpState.OFF if number == 3 else TopUpState.ON)
        now = standing.not_before
    assert standing.last_failure == "declined"
    assert top_ups.set_anew(standing, RULE, now).state is TopUpState.ON
    assert top_ups.set_anew(standing, RULE, now).strikes == 0
    assert top_ups.set_anew(standing, RULE, now).sequence == 3


def test_a_success_forgets_failures() -> None:
    once = top_ups.failed(top_ups.begun(NEW, NOON), cents=2_500, why="declined", now=NOON)
    good = top_ups.succeeded(top_ups.begun(once, NOON))
    assert (good.strikes, good.last_failure, good.charged, good.under_way) == (0, "", 2_500, False)


def test_what_its_owner_removed_stays_removed_whatever_becomes_of_a_payment() -> None:
    gone = replace(top_ups.removed(top_ups.begun(NEW, NOON)), strikes=2)
    assert top_ups.failed(gone, cents=2_500, why="declined", now=NOON).state is TopUpState.REMOVED
    assert top_ups.succeeded(gone).state is TopUpState.REMOVED


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40 * 24)), max_size=40))
def test_whatever_happens_no_month_is_charged_more_than_its_maximum(story: list[tuple[bool, int]]) -> None:
    standing: TopUpStanding = NEW
    now, received = NOON, dict[str, int]()
    for well, hours in story:
        now += timedelta(hours=hours)
        if standing.state is TopUpState.OFF:
            standing = top_ups.set_anew(standing, RULE, now)
        if not top_ups.is_due(standing, balance=0, now=now):
            continue
        standing = top_ups.begun(standing, now)
        if well:
            month = top_ups.month_of(now)
            received[month] = received.get(month, 0) + RULE.amount
            standing = top_ups.succeeded(standing)
        else:
            standing = top_ups.failed(standing, cents=RULE.amount, why="declined", now=now)
        assert top_ups.charged_in(standing, top_ups.month_of(now)) == received.get(top_ups.month_of(now), 0)
    assert all(cents <= RULE.monthly_maximum for cents in received.values())


@pytest.mark.parametrize(
    "rule",
    [
        TopUpRule(threshold=500, amount=500, monthly_maximum=500),
        TopUpRule(threshold=1, amount=1_000_000, monthly_maximum=10_000_000),
    ],
)
def test_a_rule_may_be_at_its_bounds(rule: TopUpRule) -> None:
    assert top_ups.wrong_with(rule) == ""


def test_the_bounds_are_told_in_dollars() -> None:
    assert top_ups.wrong_with(replace(RULE, amount=0)) == "`amount_usd` must be from 5 to 10000 USD."
    told = top_ups.wrong_with(replace(RULE, monthly_maximum=0))
    assert told == "`monthly_maximum_usd` must be from `amount_usd` to 100000 USD."


def test_a_new_rule_has_charged_nothing_and_waits_an_hour_then_a_day_after_failures() -> None:
    assert TopUpStanding(rule=RULE, sequence=0, strikes=0, month="", charged=0, not_before=NOON) == NEW
    assert (3, (timedelta(hours=1), timedelta(days=1))) == (STRIKES, PAUSES)
