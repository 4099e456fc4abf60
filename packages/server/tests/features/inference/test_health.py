"""The breaker opens after failures in a row, probes once, and keeps to what is the provider's own fault."""

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.health import BreakerState, Health, HealthSettings, PeakEwma

NAME = "openai/gpt-test"
SETTINGS = HealthSettings(open_after=3, open_seconds=10.0, half_life=60.0)


def broken(now: float = 0.0) -> Health:
    health = Health(SETTINGS)
    for _ in range(3):
        health.failed(NAME, FailureKind.SERVER_ERROR, now)
    return health


def test_a_model_nobody_tried_is_admitted_and_unmeasured() -> None:
    pulse = Health(SETTINGS).pulse(NAME, 0.0)
    assert pulse.state is BreakerState.CLOSED
    assert pulse.first_byte_ms is None


def test_the_breaker_opens_at_the_third_failure_in_a_row_and_not_before() -> None:
    health = Health(SETTINGS)
    for _ in range(2):
        health.failed(NAME, FailureKind.OVERLOADED, 0.0)
    assert health.admits(NAME, 0.0)
    health.failed(NAME, FailureKind.OVERLOADED, 0.0)
    assert not health.admits(NAME, 0.0)


def test_a_success_between_failures_starts_the_count_anew() -> None:
    health = Health(SETTINGS)
    for _ in range(5):
        health.failed(NAME, FailureKind.TIMEOUT, 0.0)
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


def test_a_probe_that_fails_opens_it_again() -> None:
    health = broken()
    health.started(NAME, 10.0)
    health.failed(NAME, FailureKind.CONNECTION, 11.0)
    assert not health.admits(NAME, 12.0)
    assert health.admits(NAME, 21.0)


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
        health.failed(NAME, kind, 0.0)
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
