"""The machine's clocks."""

import time
from datetime import UTC, datetime


class SystemClock:
    """`ports.clock.Clock` read from the machine."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)
    """Seconds since some fixed moment; never jumps. Asked two dozen times a request, so without a function of ours."""
