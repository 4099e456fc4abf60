"""What a verdict hints at: nothing by a useless check, more by a better one, never as much as a test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.verification.hint import FAINT, hint_of

SHARES = st.floats(0.01, 0.99)


def test_by_a_check_that_passes_wrong_answers_as_readily_nothing_is_learnt() -> None:
    for rates in (Rates(0.8, 0.8, 0.1), Rates(0.2, 0.9, 0.1)):
        assert hint_of(rates, passed=True, success=0.6).weight == 0.0


def test_a_pass_by_a_good_check_is_a_good_sign_and_a_failure_a_bad_one() -> None:
    good = Rates(0.9, 0.1, 0.01)
    assert hint_of(good, passed=True, success=0.5) == pytest.approx((0.9, FAINT * 0.64))
    assert hint_of(good, passed=False, success=0.5).quality == pytest.approx(0.1)


def test_of_a_sight_that_cannot_be_nothing_else_is_believed_than_before() -> None:
    assert hint_of(Rates(1.0, 1.0, 0.0), passed=False, success=0.4) == (0.4, 0.0)


@given(right=SHARES, wrong=SHARES, success=SHARES)
def test_an_arm_that_passes_as_often_as_foretold_stays_where_it_was(right: float, wrong: float, success: float) -> None:
    rates = Rates(right, wrong, 0.1)
    passed, failed = (hint_of(rates, passed=each, success=success) for each in (True, False))
    foretold = success * right + (1 - success) * wrong
    assert foretold * passed.quality + (1 - foretold) * failed.quality == pytest.approx(success)
    assert 0.0 <= passed.weight == failed.weight < FAINT
