"""A gain is evidence: where the plain forecast is right, its exponential has a mean of 1 at most, however it counts."""

from datetime import date
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.earned import (
    FEWEST,
    LEAST,
    MOST,
    NEEDED,
    PERIOD_DAYS,
    Standing,
    gain,
    moved,
    period_of,
)

FORECASTS = st.floats(LEAST, MOST)


@given(FORECASTS, FORECASTS, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_right_forecast_is_not_beaten_in_the_mean(plain: float, heard: float, weight: float, spread: float) -> None:
    low = plain * (1.0 - spread)
    high = plain + (1.0 - plain) * spread
    mean = plain * exp(weight * gain(plain, heard, high)) + (1.0 - plain) * exp(weight * gain(plain, heard, low))
    assert low * (1.0 - plain) + high * plain == pytest.approx(plain)
    assert mean <= 1.0 + 1e-9


def test_a_gain_is_the_log_loss_that_was_saved() -> None:
    assert gain(0.5, 0.75, 1.0) == pytest.approx(log(1.5))
    assert gain(0.5, 0.75, 0.0) == pytest.approx(log(0.5))
    assert gain(0.5, 0.5, 0.3) == 0.0


def test_the_gate_asks_for_outcomes_and_for_gain() -> None:
    assert Standing(FEWEST, NEEDED).is_open
    assert not Standing(FEWEST - 1, NEEDED).is_open
    assert not Standing(10 * FEWEST, NEEDED - 0.01).is_open


def test_what_is_moved_stays_a_probability_that_is_not_sure() -> None:
    assert [moved(0.5, shift) for shift in (-1.0, -0.2, 0.2, 1.0)] == pytest.approx([LEAST, 0.3, 0.7, MOST])


def test_periods_follow_each_other() -> None:
    day = date(2026, 11, 29).toordinal()
    assert period_of(day + PERIOD_DAYS) == period_of(day) + 1
