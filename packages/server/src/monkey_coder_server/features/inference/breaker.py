"""A breaker: after failures in a row nothing goes there by preference, later one probe at a time."""

from enum import StrEnum


class BreakerState(StrEnum):
    """What is `open` is tried last; `half_open` lets one probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after `open_after` failures in a row, for `open_seconds`. Times are monotonic seconds passed in.

    A probe that has said nothing for `open_seconds` no longer keeps others away.
    """

    __slots__ = ("_open_after", "_open_seconds", "_open_until", "_probe_until", "failures_in_a_row")

    def __init__(self, open_after: int, open_seconds: float) -> None:
        self._open_after = open_after
        self._open_seconds = open_seconds
        self._open_until: float | None = None
        self._probe_until = 0.0
        self.failures_in_a_row = 0

    def state(self, now: float) -> BreakerState:
        """The state, without changing it."""
        if self._open_until is None:
            return BreakerState.CLOSED
        if now < self._open_until or now < self._probe_until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def admits(self, now: float) -> bool:
        """Whether a call should go there by preference: it is closed, or this one may be its probe."""
        return self.state(now) is not BreakerState.OPEN

    def started(self, now: float) -> None:
        """A call is on its way; while half open it is the probe, and others stay away."""
        if self._open_until is not None and now >= self._open_until:
            self._probe_until = now + self._open_seconds

    def ended(self) -> None:
        """A call ended without a verdict (its caller left): if it was the probe, another may be."""
        self._probe_until = 0.0

    def succeeded(self) -> bool:
        """A call went well: it closes. Whether it was open."""
        was_open = self._open_until is not None
        self.failures_in_a_row = 0
        self._open_until = None
        self._probe_until = 0.0
        return was_open

    def failed(self, now: float) -> bool:
        """A call failed. Whether it is open now."""
        self.failures_in_a_row += 1
        self._probe_until = 0.0
        if self.failures_in_a_row < self._open_after:
            return False
        self._open_until = now + self._open_seconds
        return True

    def trip(self, now: float) -> None:
        """Open now, whatever was counted."""
        self.failures_in_a_row = max(self.failures_in_a_row, self._open_after)
        self._probe_until = 0.0
        self._open_until = now + self._open_seconds
