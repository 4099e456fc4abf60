"""A breaker: after failures in a row nothing goes there by preference, later one probe at a time."""

from enum import StrEnum
from math import inf

MOST_DOUBLINGS = 16
"""More would only overflow."""


class BreakerState(StrEnum):
    """What is `open` is tried last; `half_open` lets one probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after `open_after` failures in a row, for `open_seconds`. Times are monotonic seconds passed in.

    It opens twice as long, up to `longest`, each time a probe fails, and each time it has to open again before it was
    closed for as long as it had been open: what works by turns is asked less and less.

    While it is open, only calls that `began` since say anything. A probe that has said nothing for `open_seconds` no
    longer keeps others away.
    """

    __slots__ = (
        "_closed_at",
        "_doublings",
        "_longest",
        "_open_after",
        "_open_seconds",
        "_opened_at",
        "_probe_until",
        "failures_in_a_row",
        "open_until",
    )

    def __init__(self, open_after: int, open_seconds: float, *, longest: float = 120.0) -> None:
        self._open_after = open_after
        self._open_seconds = open_seconds
        self._longest = longest
        self._opened_at = -inf
        self.open_until: float | None = None
        """None while it is closed."""
        self._closed_at = -inf
        self._doublings = 0
        self._probe_until = 0.0
        self.failures_in_a_row = 0

    def state(self, now: float) -> BreakerState:
        """The state, without changing it."""
        if self.open_until is None:
            return BreakerState.CLOSED
        if now < self.open_until or now < self._probe_until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def admits(self, now: float) -> bool:
        """Whether a call should go there by preference: it is closed, or this one may be its probe."""
        return self.state(now) is not BreakerState.OPEN

    def tries(self, began: float) -> bool:
        """Whether a call that `began` then is made though it is not closed: its probe, or for want of another route."""
        return self.open_until is not None and began >= self._opened_at

    def open_for(self, now: float) -> float:
        """Seconds until it asks for a probe; 0 when it does, or is closed."""
        return 0.0 if self.open_until is None else max(0.0, self.open_until - now)

    def started(self, now: float) -> None:
        """A call is on its way; while half open it is the probe, and others stay away."""
        if self.open_until is not None and now >= self.open_until:
            self._probe_until = now + self._open_seconds

    def ended(self) -> None:
        """A call ended without a verdict (its caller left): if it was the probe, another may be."""
        self._probe_until = 0.0

    def succeeded(self, began: float, now: float) -> bool:
        """A call went well: it closes, unless the call began before it opened. Whether it was open."""
        if self.open_until is None:
            self.failures_in_a_row = 0
            return False
        if began < self._opened_at:
            return False
        self.failures_in_a_row = 0
        self.open_until = None
        self._closed_at = now
        self._probe_until = 0.0
        return True

    def failed(self, began: float, now: float, *, at_least: float = 0.0) -> bool:
        """A call failed. Whether it opened, or opened again; it is open for `at_least` so many seconds."""
        self.failures_in_a_row += 1
        if self.failures_in_a_row < self._open_after:
            return False
        return self.trip(began, now, at_least=at_least)

    def trip(self, began: float, now: float, *, at_least: float = 0.0) -> bool:
        """Open now, whatever was counted, as after a failure."""
        self.failures_in_a_row = max(self.failures_in_a_row, self._open_after)
        named = now + min(at_least, self._longest)
        if self.open_until is None:
            lasting = now - self._closed_at >= self._length()
            self._doublings = 0 if lasting else self._doublings + 1
        elif began >= self.open_until:
            self._doublings += 1
        else:  # known already, but for how long
            self.open_until = max(self.open_until, named)
            return False
        self._opened_at = now
        self.open_until = max(now + self._length(), named)
        self._probe_until = 0.0
        return True

    def _length(self) -> float:
        """Seconds it is open, or was last, where no more was named."""
        return min(self._longest, self._open_seconds * 2.0 ** min(self._doublings, MOST_DOUBLINGS))
