"""Stops asking a store that does not answer: callers should not wait 20 ms each for nothing."""

from enum import StrEnum

FAILURES = 3
"""One after the other open it."""
PROBE_SECONDS = 0.1


class BreakerState(StrEnum):
    """`HALF_OPEN`: somebody finds out whether the store answers again; callers do not wait for it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Callers ask while it is closed. While it is not, probes are sent, and one that is answered closes it."""

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self.opened = 0
        self._failures = 0

    def failed(self) -> None:
        """A call or a probe was not answered."""
        self._failures += 1
        if self.state is BreakerState.HALF_OPEN or (self.state is BreakerState.CLOSED and self._failures >= FAILURES):
            self.opened += self.state is BreakerState.CLOSED
            self.state = BreakerState.OPEN

    def probing(self) -> None:
        """A probe is sent."""
        self.state = BreakerState.HALF_OPEN

    def succeeded(self) -> None:
        """A call or a probe was answered in time."""
        self._failures = 0
        self.state = BreakerState.CLOSED
