"""What is slow is noticed at once, forgotten slowly, and gets fewer calls."""

import pytest

from monkey_coder_server.features.inference.balancing import ENOUGH, RECKONED_EVERY, FirstTokens, Load, PeakEwma


def test_an_average_fades_while_nothing_is_measured() -> None:
    average = PeakEwma(60.0)
    assert average.faded(0.0) == 0.0
    average.add(100.0, 0.0)
    assert average.faded(0.0) == 100.0
    assert average.faded(60.0) == pytest.approx(36.8, abs=0.1)


def test_the_slower_and_the_busier_of_two_costs_more() -> None:
    quick, slow = Load(60.0), Load(60.0)
    quick.measured(100.0, 0.0)
    slow.measured(400.0, 0.0)
    assert quick.cost(0.0) < slow.cost(0.0)
    quick.outstanding = 5
    assert quick.cost(0.0) > slow.cost(0.0)


def test_the_usual_first_token_is_the_median_of_the_latest() -> None:
    times = FirstTokens()
    assert times.median is None
    for milliseconds in (100.0, 300.0, 200.0):
        times.add(milliseconds)
    assert times.median == 200.0
    for _ in range(100):
        times.add(50.0)
    assert times.median == 50.0


def test_the_median_is_reckoned_now_and_then() -> None:
    times = FirstTokens()
    for _ in range(RECKONED_EVERY):
        times.add(10.0)
    for _ in range(RECKONED_EVERY - 1):
        times.add(99.0)
    assert times.median == 10.0
    times.add(99.0)
    assert times.median == 99.0


def test_a_percentile_near_the_end_is_told_only_of_enough_times() -> None:
    times = FirstTokens()
    for number in range(ENOUGH - 1):
        times.add(float(number))
    assert times.p95 is None
    for number in range(100):
        times.add(float(number))
    assert times.p95 is not None
    assert 90.0 <= times.p95 <= 97.0
