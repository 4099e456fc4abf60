"""Feedback is counted once a request and kept apart by model and kind of task."""

import pytest

from monkey_coder_server.features.inference import outcomes as module
from monkey_coder_server.features.inference.outcomes import MOST_OF_AN_ACCOUNT, Outcomes, ServedBy, Tally

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


def test_one_account_weighs_no_more_than_its_share_however_much_it_reports() -> None:
    outcomes = Outcomes()
    for number in range(1_000):
        outcomes.report(f"req_{number}", BY, 0.0)
    assert outcomes.tally(BY.model, "testing") == Tally(0.0, MOST_OF_AN_ACCOUNT)
    for number in range(MOST_OF_AN_ACCOUNT):
        outcomes.report(f"other_{number}", ServedBy(f"acct_{number + 2}", BY.model, "testing"), 1.0)
    assert outcomes.tally(BY.model, "testing") == Tally(float(MOST_OF_AN_ACCOUNT), 2 * MOST_OF_AN_ACCOUNT)


def test_an_account_that_changes_its_mind_moves_its_mean_only() -> None:
    outcomes = Outcomes()
    for score in (0.0, 1.0):
        for number in range(20):
            outcomes.report(f"req_{number}", BY, score)
    tally = outcomes.tally(BY.model, "testing")
    assert (tally.good, tally.reports) == (pytest.approx(MOST_OF_AN_ACCOUNT), MOST_OF_AN_ACCOUNT)


def test_what_is_forgotten_no_longer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 1)
    outcomes = Outcomes()
    outcomes.report("req_1", BY, 1.0)
    outcomes.report("req_2", ServedBy("acct_2", BY.model, "testing"), 0.0)
    assert outcomes.tally(BY.model, "testing") == Tally(0.0, 1)
