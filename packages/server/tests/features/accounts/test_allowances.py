"""What the allowances of accounts come to."""

from datetime import timedelta

import pytest

from monkey_coder_server.domain.throttling import NEVER_TRIED, SECOND, Allowance, tried, wait
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.identity import links

MICROSECOND = timedelta(microseconds=1)
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
ALLOWANCES = [each for each in vars(throttles).values() if isinstance(each, Allowance)]


def most(allowance: Allowance, *, within: int, after: int = 0) -> int:
    """How often who never rests comes through."""
    standing, now, through = NEVER_TRIED, DAY, 0
    while (now := now + wait(standing, allowance, now)) < DAY + after + within:
        standing, through = tried(standing, allowance, now), through + (now >= DAY + after)
    return through


@pytest.mark.parametrize(
    ("allowance", "first_hour", "a_day_later"),
    [
        (throttles.AN_ACCOUNT, 21, 96),
        (throttles.A_FACTOR, 12, 96),
        (throttles.MAIL_TO_ONE, 8, 48),
        (throttles.MAIL_TO_A_STRANGER, 12, 6),
        (throttles.AN_INVITER, 60, 720),
        (throttles.A_BUSY_PLACE, 1_300, 28_800),
    ],
)
def test_how_often_who_never_rests_comes_through(allowance: Allowance, first_hour: int, a_day_later: int) -> None:
    assert first_hour * 0.9 <= most(allowance, within=HOUR) <= first_hour
    assert a_day_later * 0.9 <= most(allowance, within=DAY, after=2 * DAY) <= a_day_later * 1.01


def test_nobody_waits_for_the_next_mail_longer_than_its_link_is_good() -> None:
    assert throttles.MAIL_TO_ONE.longest <= min(links.LIFETIMES.values()) // MICROSECOND


@pytest.mark.parametrize("allowance", ALLOWANCES)
def test_one_try_is_kept_for_four_hours_at_most_and_its_wait_is_no_longer(allowance: Allowance) -> None:
    assert max(allowance.longest, allowance.forgotten_after) <= 4 * HOUR
