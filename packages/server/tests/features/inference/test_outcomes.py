"""Feedback is counted once a request and kept apart by model and kind of task."""

from monkey_coder_server.features.inference.outcomes import Outcomes, ServedBy, Tally

BY = ServedBy("acct_1", "openai/gpt-test", "testing")


def test_a_later_report_of_the_same_request_replaces_the_earlier() -> None:
    outcomes = Outcomes()
    outcomes.report("req_1", BY, 1.0)
    outcomes.report("req_1", BY, 0.0)
    assert outcomes.tally(BY.model, "testing") == Tally(0.0, 1)


def test_kinds_of_task_are_counted_apart() -> None:
    outcomes = Outcomes()
    outcomes.report("req_1", BY, 1.0)
    assert outcomes.tally(BY.model, "debugging") == Tally()


def test_another_account_cannot_see_who_served_a_request() -> None:
    outcomes = Outcomes()
    outcomes.served("req_1", BY)
    assert outcomes.who("acct_1", "req_1") == BY
    assert outcomes.who("acct_2", "req_1") is None
