"""After failures in a row nothing goes there by preference, later one probe at a time."""

from monkey_coder_server.features.inference.breaker import Breaker, BreakerState


def opened() -> Breaker:
    breaker = Breaker(3, 10.0)
    assert [breaker.failed(0.0) for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_after_failures_in_a_row_and_asks_for_a_probe_later() -> None:
    breaker = opened()
    assert breaker.state(9.9) is BreakerState.OPEN
    assert not breaker.admits(9.9)
    assert breaker.state(10.0) is BreakerState.HALF_OPEN
    assert breaker.admits(10.0)


def test_one_probe_at_a_time_keeps_the_others_away() -> None:
    breaker = opened()
    breaker.started(10.0)
    assert not breaker.admits(10.1)
    assert breaker.admits(20.0)


def test_a_probe_whose_caller_left_makes_room_for_another() -> None:
    breaker = opened()
    breaker.started(10.0)
    breaker.ended()
    assert breaker.admits(10.1)


def test_a_success_closes_it_and_a_failed_probe_opens_it_again() -> None:
    breaker = opened()
    breaker.started(10.0)
    assert breaker.failed(11.0)
    assert not breaker.admits(20.9)
    assert breaker.succeeded()
    assert breaker.state(11.0) is BreakerState.CLOSED
    assert not breaker.succeeded()


def test_it_can_be_opened_at_once() -> None:
    breaker = Breaker(3, 10.0)
    breaker.trip(5.0)
    assert breaker.failures_in_a_row == 3
    assert breaker.state(14.9) is BreakerState.OPEN
