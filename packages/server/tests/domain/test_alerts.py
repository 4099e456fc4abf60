"""Alerts are told once for each crossing, and again only after the figures came back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.alerts import (
    OF_MONEY,
    AlertKind,
    AlertRule,
    AlertStanding,
    Figures,
    Owed,
    look,
    wrong_with,
)
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Standing, Unit

USD = 1_000_000_000
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
BALANCE = AlertRule(AlertKind.BALANCE_BELOW, amount=5 * USD)
SHARE = AlertRule(AlertKind.LIMIT_SHARE, percent=80)


def told(rule: AlertRule, *figures: Figures) -> list[list[str]]:
    """The names of what is news at each look, one after another."""
    standing, all_news = AlertStanding(), []
    for each in figures:
        seen = look(rule, standing, each)
        all_news.append([] if seen is None else [crossing.name for crossing in seen.news])
        standing = standing if seen is None else seen.standing
    return all_news


def figures(**known: Any) -> Figures:
    return replace(Figures(at=NOON), **known)


def test_a_balance_is_told_once_each_time_it_falls_below() -> None:
    balances = (5 * USD, 5 * USD - 1, USD, 0, 5 * USD, 4 * USD, 4 * USD)
    assert told(BALANCE, *[figures(balance=each) for each in balances]) == [
        [], ["below:1"], [], [], [], ["below:3"], [],
    ]  # fmt: skip
    seen = look(BALANCE, AlertStanding(), figures(balance=USD))
    assert seen is not None
    assert seen.news[0].facts == {"balance_usd": "1.00", "threshold_usd": "5.00"}


@given(st.lists(st.integers(0, 10)))
def test_there_are_as_many_alerts_as_falls_and_no_name_comes_twice(balances: list[int]) -> None:
    rule = AlertRule(AlertKind.BALANCE_BELOW, amount=5)
    names = [name for news in told(rule, *[figures(balance=each) for each in balances]) for name in news]
    before = [5, *balances]
    falls = sum(1 for last, now in zip(before, balances, strict=False) if last >= 5 > now)
    assert len(names) == len(set(names)) == falls


def test_what_was_spent_is_told_once_a_day_and_once_a_month() -> None:
    day = AlertRule(AlertKind.SPENT_DAY, amount=USD)
    month = AlertRule(AlertKind.SPENT_MONTH, amount=USD)
    spent = [figures(spent_day=each, spent_month=each) for each in (USD, USD + 1, 3 * USD)]
    tomorrow = replace(spent[-1], at=NOON + timedelta(days=1))
    assert told(day, *spent, tomorrow) == [[], ["2026-11-30"], [], ["2026-12-01"]]
    assert told(month, *spent, tomorrow) == [[], ["2026-11"], [], ["2026-12"]]
    seen = look(month, AlertStanding(), spent[1])
    assert seen is not None
    assert seen.news[0].facts == {"spent_usd": "1.000000001", "threshold_usd": "1.00", "period": "2026-11"}


def standing(spent: int, *, allowed: int = 10 * USD, model: str = "", unit: Unit = Unit.MONEY) -> Standing:
    return Standing(Limit(Holder(HolderKind.KEY, "key_1"), Period.DAY, unit, allowed, model), spent)


def test_each_limit_is_told_of_for_itself_from_its_share_on() -> None:
    first, second = standing(8 * USD), standing(80, allowed=100, unit=Unit.TOKENS, model="xai/grok-4")
    seen = look(SHARE, AlertStanding(), figures(limits=(first, second, standing(8 * USD - 1, model="a/b"))))
    assert seen is not None
    assert [crossing.facts for crossing in seen.news] == [
        {
            "limit": "key_day_cap",
            "holder": "key",
            "holder_id": "key_1",
            "period": "2026-11-30",
            "percent": "80",
            "spent_usd": "8.00",
            "limit_usd": "10.00",
        },
        {
            "limit": "model_day_tokens",
            "holder": "key",
            "holder_id": "key_1",
            "period": "2026-11-30",
            "percent": "80",
            "spent_tokens": "80",
            "limit_tokens": "100",
            "model": "xai/grok-4",
        },
    ]


def test_a_limit_that_is_raised_and_used_up_again_is_told_again_and_one_of_nothing_never() -> None:
    spends = [(8, 10), (9, 10), (9, 20), (16, 20), (0, 0)]
    looks = [figures(limits=(standing(spent, allowed=allowed),)) for spent, allowed in spends]
    assert [len(news) for news in told(SHARE, *looks)] == [1, 0, 0, 1, 0]


def test_a_freeze_an_invoice_and_a_failed_top_up_are_told_once() -> None:
    frozen = AlertRule(AlertKind.FROZEN)
    assert told(frozen, *[figures(frozen=each) for each in ("", "debt", "debt", "", "debt", "dispute")]) == [
        [], ["debt:1"], [], [], ["debt:3"], ["dispute:4"],
    ]  # fmt: skip
    owed = (Owed("inv_1", 250), Owed("inv_2", 1))
    overdue, failed = AlertRule(AlertKind.INVOICE_OVERDUE), AlertRule(AlertKind.TOP_UP_FAILED)
    assert told(overdue, figures(overdue=owed[:1]), figures(overdue=owed)) == [["inv_1"], ["inv_2"]]
    seen = look(failed, AlertStanding(), figures(failed_top_ups=(Owed("3", 2_500),)))
    assert seen is not None
    assert seen.news[0].facts == {"top_up": "3", "amount_usd": "25.00"}


def test_what_is_no_longer_crossed_is_no_news_but_kept() -> None:
    seen = look(BALANCE, AlertStanding(7, frozenset({"below"})), figures(balance=9 * USD))
    assert seen is not None
    assert (seen.standing, seen.news) == (AlertStanding(8), ())


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_the_line_it_needs_and_no_other(kind: AlertKind) -> None:
    amount, percent = int(kind in OF_MONEY), int(kind is AlertKind.LIMIT_SHARE)
    assert wrong_with(AlertRule(kind, amount, percent)) == ""
    assert wrong_with(AlertRule(kind, 1 - amount, percent)).startswith("amount_usd")
    assert wrong_with(AlertRule(kind, amount, 101)).startswith("percent")
    if percent:
        assert wrong_with(AlertRule(kind)) == "percent must be 1 to 100."
