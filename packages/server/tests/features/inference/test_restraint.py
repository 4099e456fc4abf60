"""Trying other models costs an account at most a twentieth of what the best-ranked were worth, told or not."""

import pytest

from monkey_coder_server.domain.bandit.conservatism import GIVEN_UP
from monkey_coder_server.features.inference import restraint as module
from monkey_coder_server.features.inference.restraint import Restraint


def served(restraint: Restraint, count: int, *, tried: bool = False, account: str = "acct_1") -> None:
    for number in range(count):
        restraint.played(f"{tried} {number}", account, 0.8, tried=tried)


def test_an_account_that_was_never_served_bears_nothing() -> None:
    assert not Restraint().allows("acct_1", 0.8)


def test_one_more_is_tried_only_within_a_twentieth_of_all() -> None:
    restraint = Restraint()
    served(restraint, 20)
    assert not restraint.allows("acct_1", 0.8)
    served(restraint, 12)
    assert restraint.allows("acct_1", 0.8)
    served(restraint, 1, tried=True)
    assert not restraint.allows("acct_1", 0.8)


def test_what_was_tried_and_did_well_may_be_tried_again() -> None:
    restraint = Restraint()
    served(restraint, 32)
    served(restraint, 1, tried=True)
    restraint.told("True 0", 1.0)
    assert restraint.allows("acct_1", 0.8)
    restraint.told("True 0", 0.0)
    assert not restraint.allows("acct_1", 0.8)


def test_an_outcome_of_the_best_ranked_changes_nothing() -> None:
    restraint = Restraint()
    served(restraint, 32)
    restraint.told("False 0", 0.0)
    assert restraint.allows("acct_1", 0.8)


def test_whatever_comes_of_what_is_tried_all_but_a_twentieth_is_kept() -> None:
    restraint, worth, brought = Restraint(), 0.0, 0.0
    for number in range(2_000):
        tried = restraint.allows("acct_1", 0.8)
        restraint.played(str(number), "acct_1", 0.8, tried=tried)
        if tried and number % 3 == 0:
            restraint.told(str(number), 0.0)
        worth += 0.8
        brought += 0.0 if tried else 0.8
        assert brought >= (1 - GIVEN_UP) * worth - 1e-9


def test_accounts_and_trials_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)
    monkeypatch.setattr(module, "REMEMBERED", 1)
    restraint = Restraint()
    served(restraint, 80)
    served(restraint, 2, tried=True)
    restraint.told("True 0", 1.0)
    restraint.told("True 1", 1.0)
    served(restraint, 1, account="acct_2")
    assert not restraint.allows("acct_1", 0.8)
    restraint.told("True 1", 0.0)
    assert not restraint.allows("acct_1", 0.8)
