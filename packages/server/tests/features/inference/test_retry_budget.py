"""Retries are at most a tenth of calls, beside the few a process begins with and two a second."""

import pytest

from monkey_coder_server.features.inference.call_budget import RETRIES, CallBudget

NOW = 1_000.0


def spent() -> CallBudget:
    budget = CallBudget(RETRIES)
    for _ in range(int(RETRIES.most)):
        assert budget.allows(NOW)
        budget.spend(NOW)
    return budget


def test_when_what_was_saved_up_is_spent_a_provider_is_not_asked_again() -> None:
    assert not spent().allows(NOW)


def test_ten_calls_pay_for_one_retry() -> None:
    budget, retries = spent(), 0
    for _ in range(1_000):
        budget.called(NOW)
        if budget.allows(NOW):
            budget.spend(NOW)
            retries += 1
    assert 98 <= retries <= 100


def test_going_elsewhere_is_never_refused_and_makes_no_debts() -> None:
    budget = spent()
    for _ in range(50):
        budget.spend(NOW)
    for _ in range(11):
        budget.called(NOW)
    assert budget.allows(NOW)


@pytest.mark.parametrize("calls_a_second", [1, 100, 1_000])
def test_over_time_retries_are_two_a_second_and_a_tenth_of_calls_whatever_the_load(calls_a_second: int) -> None:
    budget, retries, seconds = spent(), 0, 60
    for call in range(seconds * calls_a_second):
        now = NOW + call / calls_a_second
        budget.called(now)
        while budget.allows(now):
            budget.spend(now)
            retries += 1
    expected = seconds * (RETRIES.a_second + 0.1 * calls_a_second)
    assert expected - RETRIES.a_second - 2 <= retries <= expected + 1


def test_an_idle_hour_saves_up_no_more_than_a_process_begins_with() -> None:
    budget = spent()
    later, retries = NOW + 3_600.0, 0
    while budget.allows(later):
        budget.spend(later)
        retries += 1
    assert retries == RETRIES.most


def test_a_clock_that_stands_or_goes_back_adds_nothing() -> None:
    budget = spent()
    assert not budget.allows(NOW - 5.0)
