"""Retries are a share of calls: a provider in trouble is not asked twice by everybody.

A few a second are allowed beside the share: where hardly anything is asked, a tenth of it is nothing, and a caller of a
pinned model would be told of every single failure. Times are monotonic seconds passed in.
"""

SHARE = 0.1
"""What each first call adds: under load retries come to at most a tenth of calls."""
A_SECOND = 2.0
"""What time adds."""
MOST = 10.0
"""Retries that may be saved up; a process begins with them."""


class RetryBudget:
    """Of one provider."""

    __slots__ = ("_at", "_tokens")

    def __init__(self) -> None:
        self._tokens = MOST
        self._at: float | None = None

    def called(self, now: float) -> None:
        """A request called the provider for the first time."""
        self._tokens = min(MOST, self._left(now) + SHARE)

    def allows(self, now: float) -> bool:
        """Whether a request may ask the provider once more."""
        return self._left(now) >= 1.0

    def spend(self, now: float) -> None:
        """A request was asked again; one that went elsewhere is never refused and spends what there is."""
        self._tokens = max(0.0, self._left(now) - 1.0)

    def _left(self, now: float) -> float:
        if self._at is not None:
            self._tokens = min(MOST, self._tokens + max(0.0, now - self._at) * A_SECOND)
        self._at = now
        return self._tokens
