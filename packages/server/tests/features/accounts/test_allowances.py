"""What the allowances of accounts come to."""

import pytest

from monkey_coder_server.domain.throttling import NEVER_TRIED, SECOND, Allowance, tried, wait
from monkey_coder_server.features.accounts import throttles

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
ALLOWANCES = [each for each in vars(throttles).values() if isinstance(each, Allowance)]


@pytest.mark.parametrize("allowance", [throttles.AN_ACCOUNT, throttles.A_FACTOR])
def test_who_never_rests_guesses_a_hundred_times_a_day(allowance: Allowance) -> None:
    standing, now, guesses = NEVER_TRIED, 0, 0
    while now < 10 * DAY:
        now += wait(standing, allowance, now)
        standing, guesses = tried(standing, allowance, now), guesses + 1
    assert guesses <= 10 * 100


@pytest.mark.parametrize("allowance", ALLOWANCES)
def test_nobody_waits_for_longer_than_half_an_hour_and_one_try_is_kept_for_two_hours_at_most(
    allowance: Allowance,
) -> None:
    assert allowance.longest <= HOUR // 2
    assert allowance.forgotten_after <= 2 * HOUR
