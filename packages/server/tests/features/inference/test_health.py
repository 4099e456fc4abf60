"""The breaker opens after failures in a row, probes once, and keeps to what is the provider's own fault."""

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.balancing import PeakEwma
from monkey_coder_server.features.inference.breaker import BreakerState
from monkey_coder_server.features.inference.health import Health, HealthSettings

NAME = "openai/gpt-test"
SETTINGS = HealthSettings(open_after=3, open_seconds=10.0, half_life=60.0)


def broken(now: float = 0.0) -> Health:
    health = Health(SETTINGS)
    for _ in range(3):
        health.failed(NAME, FailureKind.SERVER_ERROR, now, began=now)
    return health


def test_a_model_nobody_tried_is_admitted_and_unmeasured() -> None:
    pulse = Health(SETTINGS).pulse(NAME, 0.0)
    assert pulse.state is BreakerState.CLOSED
    assert pulse.first_byte_ms is None


def test_the_breaker_opens_at_the_third_failure_in_a_row_and_not_before() -> None:
    health = Health(SETTINGS)
    for _ in range(2):
        health.failed(NAME, FailureKind.OVERLOADED, 0.0, began=0.0)
    assert health.admits(NAME, 0.0)
    health.failed(NAME, FailureKind.OVERLOADED, 0.0, began=0.0)
    assert not health.admits(NAME, 0.0)


def test_a_success_between_failures_starts_the_count_anew() -> None:
    health = Health(SETTINGS)
    for _ in range(5):
        health.failed(NAME, FailureKind.TIMEOUT, 0.0, began=0.0)
        health.succeeded(NAME, first_byte_ms=1, total_ms=2, now=0.0)
    assert health.admits(NAME, 0.0)


def test_after_its_rest_one_probe_goes_through_and_others_stay_away() -> None:
    health = broken()
    assert health.pulse(NAME, 10.0).state is BreakerState.HALF_OPEN
    health.started(NAME, 10.0)
    assert not health.admits(NAME, 10.1)


def test_a_lost_probe_does_not_close_the_door_for_ever() -> None:
    health = broken()
    health.started(NAME, 10.0)
    assert health.admits(NAME, 20.0)


def test_a_probe_that_succeeds_closes_the_breaker() -> None:
    health = broken()
    health.started(NAME, 10.0)
    health.succeeded(NAME, first_byte_ms=5, total_ms=9, now=11.0)
    assert health.pulse(NAME, 11.0).state is BreakerState.CLOSED


def test_a_probe_that_fails_opens_it_again_for_twice_as_long() -> None:
    health = broken()
    health.started(NAME, 10.0)
    health.failed(NAME, FailureKind.CONNECTION, 11.0, began=10.0)
    assert not health.admits(NAME, 30.9)
    assert health.admits(NAME, 31.0)


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.INVALID_REQUEST,
        FailureKind.CONTENT_FILTER,
        FailureKind.CONTEXT_TOO_LONG,
        FailureKind.RATE_LIMIT,
        FailureKind.QUOTA,
        FailureKind.AUTHENTICATION,
    ],
)
def test_what_the_caller_or_our_key_did_is_not_held_against_the_model(kind: FailureKind) -> None:
    health = Health(SETTINGS)
    for _ in range(10):
        health.failed(NAME, kind, 0.0, began=0.0)
    assert health.admits(NAME, 0.0)


def test_the_average_jumps_to_a_worse_sample_and_forgets_it_slowly() -> None:
    average = PeakEwma(10.0)
    average.add(100.0, 0.0)
    average.add(900.0, 1.0)
    assert average.value == 900.0
    average.add(100.0, 2.0)
    assert average.value is not None
    assert 100.0 < average.value < 900.0
    average.add(100.0, 500.0)
    assert average.value == pytest.approx(100.0)


def usual(milliseconds: float = 100.0) -> Health:
    health = Health(SETTINGS)
    for _ in range(10):
        number = health.started(NAME, 0.0, stream=True)
        health.heard(NAME, number, milliseconds, 0.0)
    return health


def test_streams_that_begin_late_three_times_in_a_row_open_the_breaker() -> None:
    health = usual()
    for late in (6_000.0, 7_000.0):
        health.heard(NAME, health.started(NAME, 0.0, stream=True), late, 10.0)
    assert health.admits(NAME, 10.0)
    version = health.version
    health.heard(NAME, health.started(NAME, 0.0, stream=True), 8_000.0, 10.0)
    assert not health.admits(NAME, 10.0)
    assert health.version > version
    assert health.pulse(NAME, 20.0).state is BreakerState.HALF_OPEN


def test_one_that_begins_in_time_ends_the_row() -> None:
    health = usual()
    for milliseconds in (6_000.0, 6_000.0, 90.0, 6_000.0, 6_000.0):
        health.heard(NAME, health.started(NAME, 0.0, stream=True), milliseconds, 10.0)
    assert health.admits(NAME, 10.0)


def test_late_is_measured_by_what_is_usual() -> None:
    assert usual(100.0).late_after(NAME) == 5.0
    assert usual(9_000.0).late_after(NAME) == 36.0
    assert Health(SETTINGS).late_after(NAME) == 30.0


def test_a_late_stream_that_ends_well_does_not_close_the_breaker() -> None:
    health = usual()
    for _ in range(3):
        health.heard(NAME, health.started(NAME, 0.0, stream=True), 9_000.0, 10.0)
    health.succeeded(NAME, first_byte_ms=9_000, total_ms=9_100, now=11.0, stream=True)
    assert not health.admits(NAME, 11.0)
    health.succeeded(NAME, first_byte_ms=90, total_ms=200, now=12.0, stream=True)
    assert health.admits(NAME, 12.0)


def test_streams_that_say_nothing_for_long_put_a_model_last_before_any_of_them_ends() -> None:
    health = usual()
    numbers = [health.started(NAME, 100.0, stream=True) for _ in range(3)]
    assert health.admits(NAME, 105.0)
    assert not health.admits(NAME, 105.1)
    health.heard(NAME, numbers[0], 5_000.0, 105.0)
    assert health.admits(NAME, 105.1)


def test_a_first_token_is_at_least_as_late_as_the_call_that_waits_longest_is_old() -> None:
    health = usual()
    health.succeeded(NAME, first_byte_ms=100, total_ms=300, now=0.0)
    health.started(NAME, 10.0, stream=True)
    health.started(NAME, 12.0)
    assert health.pulse(NAME, 13.0).first_byte_ms == 3_000.0


def test_a_stream_tells_its_first_token_and_its_pace() -> None:
    health = Health(SETTINGS)
    for _ in range(20):
        health.succeeded(NAME, first_byte_ms=400, total_ms=2_400, now=0.0, output_tokens=200, stream=True)
    pulse = health.pulse(NAME, 1.0)
    assert pulse.first_byte_ms == 400
    assert pulse.tokens_per_second == pytest.approx(100.0, rel=0.03)


def test_an_answer_that_comes_whole_is_divided_between_both() -> None:
    health = Health(SETTINGS)
    for _ in range(20):
        health.succeeded(NAME, first_byte_ms=2_395, total_ms=2_400, now=0.0, output_tokens=200)
    pulse = health.pulse(NAME, 1.0)
    assert pulse.first_byte_ms is not None
    assert pulse.tokens_per_second is not None
    assert pulse.first_byte_ms + 200_000 / pulse.tokens_per_second == pytest.approx(2_400, rel=0.05)


def test_an_answer_whose_provider_reports_no_tokens_tells_no_pace() -> None:
    health = Health(SETTINGS)
    health.succeeded(NAME, first_byte_ms=90, total_ms=200, now=0.0, stream=True)
    assert health.pulse(NAME, 1.0).tokens_per_second is None


def test_calls_given_up_late_count_as_late_and_others_say_nothing() -> None:
    health = usual()
    for _ in range(5):
        health.given_up(NAME, health.started(NAME, 0.0, stream=True), 900.0, 1.0)
        health.given_up(NAME, health.started(NAME, 0.0), 90_000.0, 1.0)
    assert health.admits(NAME, 1.0)
    for _ in range(3):
        health.given_up(NAME, health.started(NAME, 0.0, stream=True), 5_100.0, 6.0)
    assert not health.admits(NAME, 6.0)


def test_a_probe_that_failed_by_the_keys_fault_makes_room_for_another() -> None:
    health = broken()
    number = health.started(NAME, 10.0)
    health.failed(NAME, FailureKind.RATE_LIMIT, 10.5, began=10.0, number=number)
    assert health.admits(NAME, 10.6)


def test_it_counts_the_models_that_are_tried_last() -> None:
    health = broken()
    health.succeeded("openai/other", first_byte_ms=1, total_ms=2, now=0.0)
    assert health.open(1.0) == 1
    health.succeeded(NAME, first_byte_ms=1, total_ms=2, now=11.0)
    assert health.open(11.0) == 0


def test_a_model_whose_keys_are_refused_one_after_the_other_is_tried_last_until_its_rest_is_over() -> None:
    health = Health(SETTINGS)
    version = health.version
    for number in range(3):
        health.failed(NAME, FailureKind.RATE_LIMIT, 0.0, began=0.0)
        health.refused(NAME, number, 0.0, began=0.0, retry_after=5.0)
    assert health.version > version
    assert (health.admits(NAME, 4.9), health.rests(NAME, 4.0)) == (False, 1.0)
    assert health.open(4.9) == 1
    assert health.pulse(NAME, 4.9).known
    assert health.pulse(NAME, 5.0).state is BreakerState.HALF_OPEN
    health.claimed(NAME, 5.0)
    assert not health.admits(NAME, 5.1)
    health.unclaimed(NAME)
    assert health.admits(NAME, 5.1)
    version = health.version
    health.succeeded(NAME, first_byte_ms=5, total_ms=9, now=5.2)
    assert health.version > version
    assert (health.pulse(NAME, 5.2).state, health.rests(NAME, 5.2)) == (BreakerState.CLOSED, 0.0)


def test_soon_after_one_model_began_to_rest_one_refused_key_is_enough_for_another_of_its_provider() -> None:
    health = Health(SETTINGS)
    for number in range(3):
        health.refused("openai/one", number, 0.0, began=0.0, retry_after=None)
    health.refused("openai/two", 3, 10.0, began=10.0, retry_after=None)
    health.refused("openai/three", 4, 20.1, began=20.1, retry_after=None)
    health.refused("groq/one", 0, 0.1, began=0.1, retry_after=None)
    assert [health.rests(f"openai/{name}", 10.0) > 0.0 for name in ("two", "three")] == [True, False]
    assert health.rests("groq/one", 0.1) == 0.0


def test_an_answered_model_takes_several_refused_keys_again_to_rest() -> None:
    health = Health(SETTINGS)
    for number in range(3):
        health.refused(NAME, number, 0.0, began=0.0, retry_after=None)
    health.succeeded(NAME, first_byte_ms=5, total_ms=9, now=3.0)
    health.refused(NAME, 4, 3.1, began=3.1, retry_after=None)
    assert health.rests(NAME, 3.1) == 0.0


def test_the_first_token_of_a_probe_ends_a_rest_however_long_the_answer_takes() -> None:
    health = Health(SETTINGS)
    for number in range(3):
        health.refused(NAME, number, 0.0, began=0.0, retry_after=None)
    version, number = health.version, health.started(NAME, 2.0, stream=True)
    health.heard(NAME, number, 500.0, 2.5)
    assert health.version > version
    assert health.pulse(NAME, 2.5).state is BreakerState.CLOSED


def test_a_probe_of_a_resting_model_that_fails_otherwise_makes_room_for_another() -> None:
    health = Health(SETTINGS)
    for number in range(3):
        health.refused(NAME, number, 0.0, began=0.0, retry_after=None)
    health.started(NAME, 2.0)
    health.failed(NAME, FailureKind.SERVER_ERROR, 2.1, began=2.0)
    assert health.admits(NAME, 2.2)


def test_answers_that_were_under_way_when_a_breaker_opened_leave_it_open() -> None:
    health = broken(now=5.0)
    health.succeeded(NAME, first_byte_ms=5, total_ms=900, now=5.5)
    assert not health.admits(NAME, 5.5)


def test_nothing_is_known_of_a_model_that_was_never_called() -> None:
    assert not Health(SETTINGS).pulse(NAME, 0.0).known
    assert Health(SETTINGS).rests(NAME, 0.0) == 0.0


def test_nothing_is_hedged_before_anything_is_known_then_by_what_all_take_then_by_its_own() -> None:
    health = Health(SETTINGS)
    assert health.hedge_after(NAME, stream=True) is None
    for _ in range(16):
        health.heard("openai/other", 0, 900.0, 0.0)
    assert health.hedge_after(NAME, stream=True) == 1.8
    assert health.hedge_after(NAME, stream=False) is None
    for _ in range(16):
        health.heard(NAME, 0, 400.0, 0.0)
        health.answered_whole(NAME, 10.0)
    assert health.hedge_after(NAME, stream=True) == 0.4
    assert health.hedge_after(NAME, stream=False) == SETTINGS.hedge_least
    assert health.hedge_after("openai/other", stream=False) == SETTINGS.hedge_unknown


def test_three_beaten_in_a_row_open_the_breaker_and_one_heard_in_between_does_not() -> None:
    health = Health(SETTINGS)
    health.beaten(NAME, 0.0, began=0.0)
    health.beaten(NAME, 0.0, began=0.0)
    health.heard(NAME, 0, 100.0, 0.0)
    health.beaten(NAME, 0.0, began=0.0)
    health.answered_whole(NAME, 100.0)
    health.beaten(NAME, 0.0, began=0.0)
    health.beaten(NAME, 0.0, began=0.0)
    assert health.admits(NAME, 0.0)
    health.beaten(NAME, 0.0, began=0.0)
    assert not health.admits(NAME, 0.0)


def test_a_call_that_was_cut_for_being_late_is_remembered_as_that_late_at_least() -> None:
    health = Health(SETTINGS)
    for _ in range(16):
        health.heard(NAME, 0, 400.0, 0.0)
    for _ in range(8):
        health.given_up(NAME, health.started(NAME, 0.0, stream=True), 300.0, 0.3)
    assert health.hedge_after(NAME, stream=True) == 0.4
    for _ in range(8):
        health.given_up(NAME, health.started(NAME, 0.0, stream=True), 2_000.0, 2.0)
    assert health.hedge_after(NAME, stream=True) == 2.0
