"""Retries are at most a tenth of calls, beside the few a process begins with."""

from monkey_coder_server.features.inference.retry_budget import MOST, RetryBudget


def spent() -> RetryBudget:
    budget = RetryBudget()
    for _ in range(int(MOST)):
        assert budget.allows
        budget.spend()
    return budget


def test_when_what_was_saved_up_is_spent_a_provider_is_not_asked_again() -> None:
    assert not spent().allows


def test_ten_calls_pay_for_one_retry() -> None:
    budget, retries = spent(), 0
    for _ in range(1_000):
        budget.called()
        if budget.allows:
            budget.spend()
            retries += 1
    assert 98 <= retries <= 100


def test_going_elsewhere_is_never_refused_and_makes_no_debts() -> None:
    budget = spent()
    for _ in range(50):
        budget.spend()
    for _ in range(11):
        budget.called()
    assert budget.allows
