"""After failures in a row nothing goes there by preference, later one probe at a time."""

from monkey_coder_server.features.inference.breaker import Breaker, BreakerState


def opened() -> Breaker:
    breaker = Breaker(3, 10.0, longest=60.0)
    assert [breaker.failed(0.0, 0.0) for _ in range(3)] == [False, False, True]
    return breaker


def open_from(breaker: Breaker, now: float) -> float:
    """Seconds it stays open when a call at `now`, a probe of it, fails at once."""
    breaker.started(now)
    breaker.trip(now, now)
    return breaker.open_for(now)


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
    assert breaker.failed(10.0, 11.0)
    assert not breaker.admits(30.9)
    assert breaker.succeeded(31.0, 32.0)
    assert breaker.state(32.0) is BreakerState.CLOSED
    assert not breaker.succeeded(31.0, 32.0)


def test_what_was_called_since_it_opened_tries_it_and_what_was_called_before_does_not() -> None:
    breaker = opened()
    assert not breaker.tries(-0.1)
    assert breaker.tries(10.0)
    breaker.succeeded(10.0, 11.0)
    assert not breaker.tries(10.0)


def test_it_can_be_opened_at_once() -> None:
    breaker = Breaker(3, 10.0)
    assert breaker.trip(5.0, 5.0)
    assert breaker.failures_in_a_row == 3
    assert breaker.state(14.9) is BreakerState.OPEN


def test_it_is_open_twice_as_long_after_each_failed_probe_within_a_bound() -> None:
    breaker, now, lengths = opened(), 0.0, []
    for _ in range(4):
        now += breaker.open_for(now)
        lengths.append(open_from(breaker, now))
    assert lengths == [20.0, 40.0, 60.0, 60.0]


def test_what_works_by_turns_is_asked_less_and_less() -> None:
    breaker, now, lengths = opened(), 0.0, []
    for _ in range(4):
        now += breaker.open_for(now)
        assert breaker.succeeded(now, now)
        now += 1.0
        assert breaker.trip(now, now)
        lengths.append(breaker.open_for(now))
    assert lengths == [20.0, 40.0, 60.0, 60.0]


def test_one_that_was_closed_as_long_as_it_was_open_begins_anew() -> None:
    breaker = opened()
    assert open_from(breaker, 10.0) == 20.0
    assert breaker.succeeded(30.0, 31.0)
    assert breaker.trip(51.0, 51.0)
    assert breaker.open_for(51.0) == 10.0


def test_answers_to_calls_that_began_before_it_opened_leave_it_open() -> None:
    breaker = Breaker(3, 10.0)
    for _ in range(3):
        breaker.failed(5.0, 5.0)
    assert not breaker.succeeded(4.9, 6.0)
    assert not breaker.admits(6.0)
    assert breaker.succeeded(5.5, 6.5)


def test_failures_of_calls_that_are_no_probes_neither_prolong_it_nor_make_it_grow() -> None:
    breaker = opened()
    assert not breaker.failed(-1.0, 1.0)
    assert not breaker.failed(5.0, 6.0)
    assert breaker.open_for(6.0) == 4.0


def test_of_probes_that_fail_together_the_first_makes_it_grow() -> None:
    breaker = opened()
    assert [breaker.failed(10.0, 11.0) for _ in range(5)] == [True, False, False, False, False]
    assert breaker.open_for(11.0) == 20.0


def test_it_is_open_at_least_as_long_as_was_named_within_the_bound() -> None:
    breaker = Breaker(1, 10.0, longest=60.0)
    assert breaker.failed(0.0, 0.0, at_least=30.0)
    assert breaker.open_for(0.0) == 30.0
    assert not breaker.failed(0.0, 1.0, at_least=3_600.0)
    assert breaker.open_for(1.0) == 60.0
    assert not breaker.failed(0.0, 2.0, at_least=1.0)
    assert breaker.open_for(2.0) == 59.0


def test_what_works_every_other_second_costs_a_dozen_calls_in_ten_minutes() -> None:
    """Sixteen callers, each asking anew as soon as it is answered."""
    breaker, wasted, answers = Breaker(3, 15.0), 0, []
    for tick in range(60_000):
        now = tick / 100
        for began in [began for began in answers if now - began >= 0.25]:
            answers.remove(began)
            breaker.succeeded(began, now)
        while len(answers) < 16 and breaker.admits(now):
            breaker.started(now)
            if int(now) % 2:
                answers.append(now)
                continue
            breaker.failed(now, now)
            wasted += 1
            break
    assert wasted <= 12
