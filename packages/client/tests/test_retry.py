"""When a call is tried again."""

from typing import Any

import pytest

from monkey_coder import errors
from monkey_coder._retry import RetryPolicy, retry_delay

POLICY = RetryPolicy(max_retries=2, base_delay=1.0, max_delay=3.0, max_retry_after=10.0, connect_budget=3.0)


def api(status: int | None, code: str = "", **about: Any) -> errors.APIError:
    kind = errors.RequestInProgressError if code == "request_in_progress" else errors.APIError
    return kind("no", status=status, error_code=code, **about)


def delay(error: errors.MonkeyCoderError, attempt: int = 1, elapsed: float = 0.0, jitter: float = 0.0) -> float | None:
    return retry_delay(POLICY, error, attempt=attempt, elapsed=elapsed, jitter=jitter)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.NetworkError("cut"), 1.0),
        (errors.ConnectionFailedError("refused"), 1.0),
        (errors.RequestTimeoutError("slow"), None),
        (errors.ConfigurationError("bad"), None),
        (errors.ResponseFormatError("html", status=500), None),
        (errors.StreamInterruptedError("cut"), 1.0),
        (api(400), None),
        (api(401), None),
        (api(402), None),
        (api(403), None),
        (api(404), None),
        (api(408), 1.0),
        (api(409, "conflict"), None),
        (api(409, "request_in_progress"), 1.0),
        (api(413), None),
        (api(422), None),
        (api(429), 1.0),
        (api(500), 1.0),
        (api(502), 1.0),
        (api(503), 1.0),
        (api(504), 1.0),
        (api(529), 1.0),
        (api(None), None),
        (api(503, should_retry=False), None),
        (api(400, should_retry=True), 1.0),
        (api(429, retry_after=4.5), 4.5),
        (api(429, retry_after=0.0), 0.0),
        (api(429, retry_after=11.0), None),
        (api(401, retry_after=1.0), None),
    ],
)
def test_each_failure_has_its_verdict(error: errors.MonkeyCoderError, expected: float | None) -> None:
    assert delay(error) == expected


def test_waits_double_up_to_the_longest_and_end() -> None:
    patient = RetryPolicy(max_retries=4, base_delay=1.0, max_delay=3.0)
    waits = [retry_delay(patient, api(500), attempt=n, elapsed=0, jitter=0) for n in (1, 2, 3, 4, 5)]
    assert waits == [1.0, 2.0, 3.0, 3.0, None]


def test_jitter_takes_up_to_a_quarter_off() -> None:
    assert delay(api(500), jitter=1.0) == 0.75


def test_a_gateway_that_cannot_be_reached_is_given_up_within_the_budget() -> None:
    refused = errors.ConnectionFailedError("refused")
    assert delay(refused, elapsed=1.9) == 1.0
    assert delay(refused, elapsed=2.0) is None
    assert delay(errors.NetworkError("cut"), elapsed=2.0) == 1.0
