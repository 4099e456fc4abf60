"""Second calls beside late ones are a share of calls: a slow provider's callers do not all go to its neighbour too.

One a second is allowed beside the share: where hardly anything is asked, a twentieth of it is nothing. Times are
monotonic seconds passed in.
"""

SHARE = 0.05
"""What each request's first call to the provider adds."""
A_SECOND = 1.0
"""What time adds."""
MOST = 20.0
"""Second calls that may be saved up; a process begins with them."""


class HedgeBudget:
    """Of one provider: the second calls it is given."""

    __slots__ = ("_at", "_tokens")

    def __init__(self) -> None:
        self._tokens = MOST
        self._at: float | None = None

    def called(self, now: float) -> None:
        """A request called the provider for the first time."""
        self._tokens = min(MOST, self._left(now) + SHARE)

    def allows(self, now: float) -> bool:
        """Whether the provider may be given a second call."""
        return self._left(now) >= 1.0

    def spend(self, now: float) -> None:
        """It was given one."""
        self._tokens = self._left(now) - 1.0

    def _left(self, now: float) -> float:
        if self._at is not None:
            self._tokens = min(MOST, self._tokens + max(0.0, now - self._at) * A_SECOND)
        self._at = now
        return self._tokens
