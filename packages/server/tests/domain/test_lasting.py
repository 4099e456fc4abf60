"""A clock that jumps ahead is believed only when it has lasted."""

from datetime import UTC, datetime, timedelta

from monkey_coder_server.domain.lasting import BELIEVED_AFTER, Lasting, look

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def readings(*steps: tuple[float, timedelta]) -> list[timedelta]:
    """What is believed, since noon, after so many monotonic seconds and so much that the clock was set by."""
    clock, monotonic, time = NOON, 0.0, look(None, NOON, 0.0)
    believed = []
    for seconds, jump in steps:
        clock, monotonic = clock + timedelta(seconds=seconds) + jump, monotonic + seconds
        time = look(time, clock, monotonic)
        believed.append(time.now - NOON)
    return believed


def minutes(*counts: int) -> list[timedelta]:
    return [timedelta(minutes=count) for count in counts]


STILL = timedelta(0)


def test_the_first_reading_is_believed() -> None:
    assert look(None, NOON, 5.0) == Lasting(NOON, 5.0)


def test_a_clock_that_goes_on_and_is_corrected_a_little_is_believed() -> None:
    little, minute = timedelta(seconds=29), timedelta(minutes=1)
    assert readings((60, STILL), (60, little), (60, -little)) == [minute, 2 * minute + little, 3 * minute]


def test_a_jump_ahead_counts_when_it_has_lasted() -> None:
    assert readings((60, HOUR), (BELIEVED_AFTER - 1, STILL), (1, STILL)) == [
        timedelta(minutes=1),
        timedelta(seconds=BELIEVED_AFTER + 59),
        HOUR + timedelta(seconds=BELIEVED_AFTER + 60),
    ]


def test_another_jump_makes_it_wait_anew() -> None:
    assert readings((60, HOUR), (600, HOUR), (1_140, STILL), (60, STILL)) == minutes(1, 11, 30, 151)


def test_one_that_is_set_back_again_was_never_ahead() -> None:
    assert readings((60, HOUR), (60, -HOUR), (1_200, STILL)) == minutes(1, 2, 22)


def test_a_jump_back_is_believed() -> None:
    assert readings((60, -HOUR), (60, STILL), (1_200, STILL)) == minutes(-59, -58, -38)


def test_after_a_jump_back_the_way_forward_is_a_jump_again() -> None:
    assert readings((60, -HOUR), (60, HOUR), (1_200, STILL)) == minutes(-59, -58, 22)
