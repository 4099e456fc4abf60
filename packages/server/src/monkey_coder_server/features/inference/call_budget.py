"""Calls beside first ones are a share of these: a provider in trouble is not asked twice by everybody.

A few a second are allowed beside the share: where hardly anything is asked, a tenth of it is nothing, and a caller of a
pinned model would be told of every single failure. Times are monotonic seconds passed in.
"""

from typing import NamedTuple


class Allowance(NamedTuple):
    """What each first call adds (`share`), what time adds (`a_second`), and how many may be saved up (`most`)."""

    share: float
    a_second: float
    most: float
    """A process begins with them."""


RETRIES = Allowance(share=0.1, a_second=2.0, most=10.0)
"""Under load retries come to at most a tenth of calls."""
HEDGES = Allowance(share=0.05, a_second=0.2, most=5.0)
"""Second calls beside late ones, of all providers together. Calls after a failure spend it, too: where many fail, no
late ones are joined, and all calls beside first ones stay a tenth."""
FOR_THE_STUCK = 3.0
"""Second calls that are kept for calls that are twice as late: one in twenty is a little late by definition."""


class CallBudget:
    """Of one provider, or of all."""

    __slots__ = ("_allowance", "_at", "_tokens")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._tokens = allowance.most
        self._at: float | None = None

    def called(self, now: float) -> None:
        """A request called the provider for the first time."""
        if self._tokens < self._allowance.most:  # a full one stays full, whatever time has added since
            self._tokens = min(self._allowance.most, self._left(now) + self._allowance.share)

    def allows(self, now: float, *, leaving: float = 0.0) -> bool:
        """Whether there is one more call, and so many are left after it."""
        return self._left(now) >= 1.0 + leaving

    def spend(self, now: float) -> None:
        """It was; a request that went elsewhere is never refused and spends what there is."""
        self._tokens = max(0.0, self._left(now) - 1.0)

    def _left(self, now: float) -> float:
        if self._at is not None:
            earned = max(0.0, now - self._at) * self._allowance.a_second
            self._tokens = min(self._allowance.most, self._tokens + earned)
        self._at = now
        return self._tokens
