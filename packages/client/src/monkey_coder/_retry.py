"""When a failed call is tried again, and after how long. Pure: time and chance are passed in."""

from dataclasses import dataclass

from monkey_coder import errors


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a client is; all times in seconds."""

    max_retries: int = 2
    base_delay: float = 0.5
    max_delay: float = 8.0
    max_retry_after: float = 60.0
    """A longer `Retry-After` is not waited for: the error is raised at once and names it."""
    connect_budget: float = 3.0
    """No new attempt at a gateway that could not be reached starts later than this."""


def retry_delay(
    policy: RetryPolicy,
    error: errors.MonkeyCoderError,
    *,
    attempt: int,
    elapsed: float,
    jitter: float,
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    `attempt` counts the tries already made (from 1), `elapsed` the seconds since the first began;
    `jitter` in [0, 1) takes up to a quarter off, so that many clients do not come back together.
    """
    if attempt > policy.max_retries or not _may_retry(error):
        return None
    if isinstance(error, errors.APIError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= policy.max_retry_after else None
    delay = min(policy.max_delay, policy.base_delay * 2.0 ** (attempt - 1)) * (1 - jitter / 4)
    if isinstance(error, errors.ConnectionFailedError) and elapsed + delay >= policy.connect_budget:
        return None
    return delay


def _may_retry(error: errors.MonkeyCoderError) -> bool:
    if isinstance(error, errors.NetworkError):
        return not isinstance(error, errors.RequestTimeoutError)
    if not isinstance(error, errors.APIError) or error.status is None:
        return False
    if error.should_retry is not None:
        return error.should_retry
    if isinstance(error, errors.RequestInProgressError):
        return True
    return error.status in {408, 429} or error.status >= 500
