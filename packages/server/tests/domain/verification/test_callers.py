"""Outcomes of callers' own checks count in the proportion in which the check passed and failed answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.verifier import Verdicts
from monkey_coder_server.domain.verification import trust as module
from monkey_coder_server.domain.verification.callers import ALLOWANCE, CallersCheck, Seen, balanced
from monkey_coder_server.domain.verification.trust import Source, Trust

TESTS, BUILD, LINT = (check.value for check in CallersCheck)
COUNT = st.integers(0, 50_000)


def at(account: str = "a") -> Context:
    return Context.of("implement", "python", account)


def told(trust: Trust, *, passed: bool, quality: float | None = None, times: int = 1) -> Trust:
    for _ in range(times):
        trust.saw(at(), TESTS, passed=passed)
        if quality is not None:
            trust.learn(at(), [(TESTS, passed)], quality, 0.5)
    return trust


def test_tests_are_assumed_to_be_of_use_and_builds_and_linters_are_not() -> None:
    trust = Trust()
    assert trust.rates(at(), TESTS)[:2] == pytest.approx((0.9, 0.1))
    assert trust.rates(at(), TESTS).useful
    assert not trust.rates(at(), BUILD).useful
    assert not trust.rates(at(), LINT).useful


def test_what_is_assumed_measured_or_unknown_is_told_apart() -> None:
    standings = Trust().standings(at())
    assert {standings[check.value].source for check in CallersCheck} == {Source.ASSUMED}
    assert standings["together"].source is Source.MEASURED
    assert standings["schema"].source is Source.UNKNOWN


def test_tests_that_pass_what_is_rejected_come_to_be_useless() -> None:
    trust = told(Trust(), passed=True, quality=0.0, times=20)
    assert trust.rates(at(), TESTS).wrong > 0.5
    assert not trust.rates(at(), TESTS).useful
    assert trust.standings(at())[TESTS].wrong == pytest.approx(10.0)


def test_tests_that_keep_their_promise_become_surer() -> None:
    trust = told(told(Trust(), passed=True, quality=1.0, times=20), passed=False, quality=0.0, times=20)
    assert trust.rates(at(), TESTS).confidence > Trust().rates(at(), TESTS).confidence


def test_what_is_told_of_passing_answers_alone_moves_little_while_others_fail_unspoken_of() -> None:
    silent = told(told(Trust(), passed=True, quality=0.0, times=20), passed=False, times=20)
    spoken = told(told(Trust(), passed=True, quality=0.0, times=20), passed=False, quality=0.0, times=20)
    assert silent.rates(at(), TESTS).wrong < 0.25
    assert spoken.rates(at(), TESTS).wrong > 0.35


def test_verdicts_alone_move_nothing() -> None:
    trust = told(told(Trust(), passed=True, times=20), passed=False, times=20)
    assert trust.rates(at(), TESTS) == Trust().rates(at(), TESTS)


def test_a_verdict_that_is_taken_back_is_gone() -> None:
    trust = told(Trust(), passed=True, quality=0.0, times=5)
    before = trust.rates(at(), TESTS)
    trust.saw(at(), TESTS, passed=False)
    trust.saw(at(), TESTS, passed=False, weight=-1.0)
    assert trust.rates(at(), TESTS) == pytest.approx(before)


def test_an_account_that_was_silent_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)
    trust = told(Trust(), passed=True, quality=0.0, times=20)
    trust.saw(at("b"), TESTS, passed=True)
    assert trust.rates(at(), TESTS) == Trust().rates(at(), TESTS)


def test_one_failure_nobody_speaks_of_does_not_silence_the_rest() -> None:
    assert balanced(Verdicts(12_000, 0, 3_000, 0), Seen(30_000, 1_000)) == Verdicts(12_000, 0, 3_000, 0)


@given(right_passed=COUNT, right_failed=COUNT, wrong_passed=COUNT, wrong_failed=COUNT, passed=COUNT, failed=COUNT)
def test_outcomes_are_never_made_up_and_never_beyond_their_proportion(
    *, right_passed: int, right_failed: int, wrong_passed: int, wrong_failed: int, passed: int, failed: int
) -> None:
    all_told = Verdicts(right_passed, right_failed, wrong_passed, wrong_failed)
    counted = balanced(all_told, Seen(passed, failed))
    for name in ("right_passed", "right_failed", "wrong_passed", "wrong_failed"):
        assert 0 <= getattr(counted, name) <= getattr(all_told, name)
    if passed and failed:
        on_passed = counted.right_passed + counted.wrong_passed
        assert on_passed * failed <= (right_failed + wrong_failed + ALLOWANCE + 2) * passed + 2 * failed
