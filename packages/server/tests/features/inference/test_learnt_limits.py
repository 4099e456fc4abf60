"""What a provider says is left of its limits, in each provider's way of saying it."""

from datetime import UTC, datetime

import pytest

from monkey_coder_server.features.inference.learnt_limits import UNSAID, spent_for

NOW = datetime(2026, 9, 21, 15, 33, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "reset", "seconds"),
    [
        ("0", "6m0.5s", 360.5),
        ("0", "20ms", 0.02),
        ("0", "1h2m", 3_720.0),
        ("0", "17", 17.0),
        ("0", "", UNSAID),
        ("0", "soon", UNSAID),
        ("1", "6m0s", 0.0),
        ("many", "6m0s", 0.0),
    ],
)
def test_spans_are_read_where_nothing_is_left(left: str, reset: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-requests": left, "x-ratelimit-reset-requests": reset}
    assert spent_for(headers, lambda: NOW) == pytest.approx(seconds)


def test_moments_are_read_and_the_latest_of_several_limits_counts() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-09-21T15:33:20Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-09-21T15:34:00Z",
    }
    assert spent_for(headers, lambda: NOW) == 60.0


def test_a_moment_without_a_zone_or_in_the_past_harms_nobody() -> None:
    headers = {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-09-21T15:33:20"}
    assert spent_for(headers, lambda: NOW) == UNSAID
    past = {**headers, "anthropic-ratelimit-tokens-reset": "2020-01-01T00:00:00Z"}
    assert spent_for(past, lambda: NOW) <= 0.0


def test_nothing_is_read_into_silence() -> None:
    assert spent_for({}, lambda: NOW) == 0.0
