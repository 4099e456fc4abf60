"""How large a lease is, when it is topped up or ends, and what requests take of it."""

from datetime import UTC, datetime, timedelta

import pytest

from monkey_coder_server.domain import leases
from monkey_coder_server.domain.leases import Demand, Slice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = "2026-11-23"
LEASE = Slice("lse_1", 1_000, DAY, NOON + leases.LEASE_LIFE)


def test_a_hold_takes_from_what_is_free_and_its_end_gives_back_what_was_not_charged() -> None:
    held = leases.take(LEASE, 600, day=DAY, now=NOON)
    assert held is not None
    assert (held.free, held.left) == (400, 1_000)
    ended = leases.end(held, 600, charged=250)
    assert (ended.free, ended.left, ended.held, ended.charged) == (750, 750, 0, 250)


def test_a_hold_takes_all_that_is_free_and_never_more() -> None:
    held = leases.take(LEASE, 1_000, day=DAY, now=NOON)
    assert held is not None
    assert held.free == 0
    assert leases.take(held, 1, day=DAY, now=NOON) is None
    assert leases.take(held, 0, day=DAY, now=NOON) == held
    assert leases.take(LEASE, 1_001, day=DAY, now=NOON) is None
    assert leases.take(LEASE, -1, day=DAY, now=NOON) is None


def test_a_lease_lives_a_quarter_of_an_hour_and_gives_nothing_in_the_last_two_minutes() -> None:
    assert not leases.over(LEASE, DAY, NOON + timedelta(minutes=12, seconds=59))
    assert leases.over(LEASE, DAY, NOON + timedelta(minutes=13))


def test_a_lease_idle_for_ten_seconds_goes_back_and_a_wallet_others_need_is_left_alone_for_five() -> None:
    assert (leases.IDLE_SECONDS, leases.CONTENDED_SECONDS) == (10, 5)


def test_nothing_is_taken_on_another_day_or_so_late_that_others_may_take_the_process_for_dead() -> None:
    last = LEASE.expires_at - leases.EXPIRY_MARGIN
    assert leases.take(LEASE, 1, day="2026-11-24", now=NOON) is None
    assert leases.take(LEASE, 1, day=DAY, now=last) is None
    assert leases.take(LEASE, 1, day=DAY, now=last - timedelta(microseconds=1)) is not None
    assert leases.over(LEASE, DAY, last)
    assert not leases.over(LEASE, DAY, NOON)


@pytest.mark.parametrize(("amount", "charged"), [(500, 501), (500, -1), (601, 0)])
def test_an_end_that_cannot_be_is_refused(amount: int, charged: int) -> None:
    with pytest.raises(ValueError, match="lse_1"):
        leases.end(LEASE._replace(held=600), amount, charged=charged)


def test_a_retired_lease_gives_nothing_and_returns_what_is_free_while_holds_run_on() -> None:
    retired = leases.retire(LEASE._replace(held=300, charged=100))
    assert (retired.returned, retired.free, retired.left, retired.retired) == (600, 0, 300, True)
    assert leases.take(retired, 0, day=DAY, now=NOON) is None
    ended = leases.give_back(leases.end(retired, 300, charged=20))
    assert (ended.returned, ended.free, ended.left) == (880, 0, 0)
    assert ended.charged + ended.returned == ended.amount


def test_a_key_gets_a_lease_with_its_second_request_within_two_windows() -> None:
    once = leases.asked(Demand(), 10, 5)
    assert not leases.deserves_lease(once, 5)
    assert not leases.deserves_lease(once, 60)
    assert leases.deserves_lease(leases.asked(once, 10, 100), 119)
    assert not leases.deserves_lease(leases.asked(once, 10, 120), 120)


def test_the_target_covers_the_peak_of_holds_and_a_minute_and_a_half_of_charges_twice() -> None:
    demand = leases.asked(leases.asked(Demand(), 100, 1), 50, 1)
    assert leases.target(demand, 1) == 2 * 150
    demand = leases.ended(demand, 100, charged=30, second=2)
    assert demand.held == 50
    assert leases.target(demand, 2) == 2 * (150 + 45)


def test_what_was_charged_in_the_window_before_counts_less_and_less() -> None:
    demand = leases.ended(leases.asked(Demand(), 100, 0), 100, charged=60, second=59)
    assert leases.target(demand, 59) == 2 * (100 + 90)
    assert leases.target(demand, 60) == 2 * (100 + 90)
    assert leases.target(demand, 90) == 2 * (100 + 45)
    assert leases.target(demand, 119) == 2 * (100 + 1)
    assert leases.target(demand, 120) == 0


def test_who_asked_for_nothing_needs_no_lease() -> None:
    assert leases.target(Demand(), 0) == 0


def test_what_is_still_held_counts_in_every_window() -> None:
    demand = leases.asked(Demand(), 100, 0)
    assert leases.target(demand, 60) == 200
    assert leases.target(demand, 600) == 200
    assert leases.ended(demand, 100, charged=0, second=600).held == 0


def test_half_the_target_carries_a_steady_key_through_a_minute_and_a_half() -> None:
    demand = Demand()
    for second in range(200):
        demand = leases.ended(leases.asked(demand, 30, second), 30, charged=20, second=second)
    assert 90 * 20 + 30 <= leases.target(demand, 199) // 2 <= 92 * 20 + 30


def test_a_lease_is_topped_up_below_half_of_what_is_wanted() -> None:
    assert not leases.needs_more(50, 100)
    assert leases.needs_more(49, 100)
    assert not leases.needs_more(0, 0)
