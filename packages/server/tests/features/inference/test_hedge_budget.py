"""Second calls are a small share of calls, beside the few a process begins with and one now and then."""

from monkey_coder_server.features.inference.call_budget import HEDGES, CallBudget

NOW = 1_000.0


def spent() -> CallBudget:
    budget = CallBudget(HEDGES)
    for _ in range(int(HEDGES.most)):
        assert budget.allows(NOW)
        budget.spend(NOW)
    return budget


def test_when_what_was_saved_up_is_spent_there_is_none() -> None:
    assert not spent().allows(NOW)


def test_first_calls_pay_for_their_share() -> None:
    budget, seconds_calls = spent(), 0
    for _ in range(1_000):
        budget.called(NOW)
        if budget.allows(NOW):
            budget.spend(NOW)
            seconds_calls += 1
    assert 1_000 * HEDGES.share - 2 <= seconds_calls <= 1_000 * HEDGES.share


def test_over_time_there_is_one_now_and_then_and_no_more_saved_up_than_at_the_start() -> None:
    budget = spent()
    assert budget.allows(NOW + 1.0 / HEDGES.a_second)
    later, made = NOW + 3_600.0, 0
    while budget.allows(later):
        budget.spend(later)
        made += 1
    assert made == HEDGES.most
